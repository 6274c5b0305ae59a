import { parseJson } from '../domain/json.ts';
import type { Refusal } from './refusal.ts';

/** Bytes of a replica's error that are read; llama-server's are a few hundred. */
const MAX_BYTES = 64 * 1024;

/**
 * What a replica answers instead of the stream that its client has already been promised. Its own words are kept: the
 * client can only be told in an event.
 */
export class UpstreamRefusal {
  readonly #status: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(status: number) {
    this.#status = status;
  }

  /** False: no more is read. */
  take(chunk: Buffer): boolean {
    this.#size += chunk.length;
    this.#chunks.push(chunk);
    return this.#size < MAX_BYTES;
  }

  read(): Refusal {
    const isError = this.#status >= 400;
    const error = isError ? errorIn(Buffer.concat(this.#chunks).toString('utf8')) : undefined;
    const message = isError
      ? `the model answered with status ${this.#status} instead of a stream`
      : 'the model did not answer with a stream';
    return { status: isError ? this.#status : 502, code: 'upstream_refused', message, ...error };
  }
}

/** The message and type of an error in OpenAI's shape; `undefined`: it has none. */
function errorIn(text: string): Pick<Refusal, 'message' | 'type'> | undefined {
  const body = parseJson(text);
  if (!isObject(body) || !('error' in body) || !isObject(body.error)) return undefined;
  const { error } = body;
  if (!('message' in error) || typeof error.message !== 'string') return undefined;
  return 'type' in error && typeof error.type === 'string'
    ? { message: error.message, type: error.type }
    : { message: error.message };
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
