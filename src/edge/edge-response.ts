import { ServerResponse } from 'node:http';
import { EndOfTurn } from './end-of-turn.ts';

/** What was answered here and not by a replica. */
export interface OwnAnswer {
  /** Of the error, if it is one. */
  readonly code: string | undefined;
  /** Of the body. */
  readonly bytes: number;
}

/** A body up to this size goes out in one text with its head: Node makes a list of three parts of a head and bytes. */
const MAX_AS_TEXT = 8 * 1024;

/** Those of all servers of the process. */
const answers = new EndOfTurn();

/**
 * A response that knows what every answer to its request says in its head, whoever gives it. Not by `setHeader`: after one of
 * those, Node copies every header of `writeHead` one by one, which takes 5 microseconds for a head like ours.
 */
export class EdgeResponse extends ServerResponse {
  /** Names and values in turn. */
  readonly common: string[] = [];
  /** Missing: nothing yet, or a replica's answer. */
  own: OwnAnswer | undefined;
  /** The client takes the end of the connection for that of the body: it speaks HTTP/1.0, and was not told the length. */
  isEndedByClosing = false;
}

/** What was answered here, for the record of the request. */
export const ownAnswerOf = (res: ServerResponse): OwnAnswer | undefined =>
  res instanceof EdgeResponse ? res.own : undefined;

/** Keeps what is answered with the response, since whoever answers has nothing else in hand. Other servers keep no records. */
export function noteOwnAnswer(res: ServerResponse, own: OwnAnswer): void {
  if (res instanceof EdgeResponse) res.own = own;
}

/** Begins an answer. `headers`: names and values in turn. */
export function writeHead(res: ServerResponse, status: number, headers: readonly string[]): void {
  if (!(res instanceof EdgeResponse)) {
    res.writeHead(status, [...headers]);
    return;
  }
  res.writeHead(status, [...res.common, ...headers]);
  // Some clients of HTTP/1.0 ask for chunks, by TE.
  res.isEndedByClosing = res.req.httpVersionMinor === 0 && !res.chunkedEncoding && !hasLength(headers);
}

const hasLength = (headers: readonly string[]): boolean =>
  headers.some((name, at) => at % 2 === 0 && name === 'content-length');

/**
 * Ends an answer before its end, so that it never looks whole. Where closing the connection would say that it is, the connection
 * is reset. Not one that is being closed already: all of the answer is with the kernel, and Node cannot reset it any more.
 */
export function cutOff(res: ServerResponse): void {
  const { socket } = res;
  if (res instanceof EdgeResponse && res.isEndedByClosing && socket?.writable === true) socket.resetAndDestroy();
  res.destroy();
}

/**
 * Ends an answer with the last part of its body, at the end of the turn: clients of one machine, or one proxy in front, are woken
 * up once for all answers of it. Not one that ends its connection: what follows on that in this turn may be a reason to destroy it.
 * A text goes out as UTF-8.
 */
export function endAnswer(res: ServerResponse, rest?: Buffer | string): void {
  endInTurn(res, rest, 'add');
}

/**
 * The same for an answer that is an error: after all others, and a few in one turn. Whoever sends requests that are refused, in
 * whatever number, waits for answers to them longer than others wait for theirs.
 */
export function endRefusal(res: ServerResponse, rest: string): void {
  endInTurn(res, rest, 'addSecondRank');
}

function endInTurn(res: ServerResponse, rest: Buffer | string | undefined, add: 'add' | 'addSecondRank'): void {
  if (!res.shouldKeepAlive) end(res, rest);
  else
    answers[add](() => {
      end(res, rest);
    });
}

function end(res: ServerResponse, rest: Buffer | string | undefined): void {
  // Each character is one byte, as it is for the head.
  if (typeof rest === 'string') res.end(bytesAsText(rest), 'latin1');
  else if (rest !== undefined && rest.length <= MAX_AS_TEXT) res.end(rest.toString('latin1'), 'latin1');
  else res.end(rest);
}

/** The bytes of a text in UTF-8, each as the character of that number. Those of ASCII, as nearly all are, it is itself. */
const bytesAsText = (text: string): string =>
  Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString('latin1');
