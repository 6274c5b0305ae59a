import Type from 'typebox';
import { Value } from 'typebox/value';
import { parseJson } from '../domain/json.ts';
import { decodeFailure, decodeObject, decodeResourceVersion } from './decode-object.ts';
import { failureOf } from './failure-of.ts';
import { ApiUnreachable, type WatchEvent } from './kube-api.ts';

const Line = Type.Object({ type: Type.String(), object: Type.Unknown() });

/** More than any object that the API server stores (about 3 MiB), so that a stream without line ends cannot fill memory. */
const LONGEST_LINE = 16 * 1024 * 1024;

/**
 * Decodes the body of a watch, which comes in pieces that end anywhere: one JSON object per line. Throws `ApiError` for an
 * `ERROR` event, and `ApiUnreachable` for what is no event: nothing is ever skipped, since it may have been a deletion.
 */
export class WatchLines {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  readonly #what: string;
  #rest = '';

  /** `what` opens the messages of errors. */
  constructor(what: string) {
    this.#what = what;
  }

  /** The events whose last byte is in this piece. Those before an error are given out first. */
  *push(piece: Uint8Array): Generator<WatchEvent> {
    const lines = (this.#rest + this.#textOf(piece)).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LONGEST_LINE) throw this.#broken('a line of the watch is too long');
    for (const line of lines) {
      if (line.trim() !== '') yield this.#decode(line);
    }
  }

  /** To be called when the stream has ended. Throws if it ended within a line. */
  end(): void {
    if (this.#rest !== '') throw this.#broken('the watch ended within a line');
  }

  #textOf(piece: Uint8Array): string {
    try {
      return this.#decoder.decode(piece, { stream: true });
    } catch {
      throw this.#broken('the watch is not UTF-8');
    }
  }

  #decode(text: string): WatchEvent {
    const line = parseJson(text);
    if (line === undefined) throw this.#broken('a line of the watch is not JSON');
    if (!Value.Check(Line, line)) throw this.#broken('a line of the watch is no event');
    if (line.type === 'ERROR') throw failureOf(this.#what, undefined, decodeFailure(line.object));
    const event = decodeEvent(line.type, line.object);
    if (event === undefined) throw this.#broken('a line of the watch is an event without a whole object');
    return event;
  }

  #broken(why: string): ApiUnreachable {
    return new ApiUnreachable(`${this.#what}: ${why}`);
  }
}

function decodeEvent(type: string, raw: unknown): WatchEvent | undefined {
  if (type === 'BOOKMARK') {
    const resourceVersion = decodeResourceVersion(raw);
    return resourceVersion === undefined ? undefined : { kind: 'bookmark', resourceVersion };
  }
  const object = decodeObject(raw);
  if (object === undefined) return undefined;
  if (type === 'ADDED' || type === 'MODIFIED') return { kind: 'changed', object };
  return type === 'DELETED' ? { kind: 'deleted', object } : undefined;
}
