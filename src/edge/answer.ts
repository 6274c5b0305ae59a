import type { ServerResponse } from 'node:http';
import { assertNever } from '../domain/assert-never.ts';
import type { Duration } from '../domain/units.ts';
import type { AnswerMeter } from './answer-meter.ts';
import { cutOff, endAnswer, noteOwnAnswer, writeHead } from './edge-response.ts';
import { OPENAI_EVENTS, type EventDialect } from './event-dialect.ts';
import { responseHeaders } from './headers.ts';
import type { ResponseHead } from './response-head.ts';
import { refuse, type Refusal } from './refusal.ts';

/** How far an answer has come, and so in which way it can still end. */
type Stage =
  /** Nothing is sent: a status can still say what is wrong. */
  | 'unsent'
  /** The head of an event stream is out, and signs of life, but nothing of a replica. */
  | 'waiting'
  /** A replica's answer. */
  | 'relaying'
  | 'over';

/** How long the last words of a broken answer may take to reach a client that does not read, in milliseconds. */
const LAST_WORDS = 5000;
/** Tells nginx, and whoever has learned it from nginx, to pass events on as they come. */
const UNBUFFERED = ['x-accel-buffering', 'no'];
const EVENT_STREAM = 'text/event-stream';
const BLANK_LINE = Buffer.from('\n\n');

/** The client's side of one request: what it has been sent, and how to end it honestly from there. */
export class Answer {
  /** That of the client's API. */
  dialect: EventDialect = OPENAI_EVENTS;
  readonly #res: ServerResponse;
  readonly #meter: AnswerMeter;
  #stage: Stage = 'unsent';
  #pulse: NodeJS.Timeout | undefined;
  #isEventStream = false;
  /** Nothing has taken it along yet. */
  #headWaits = false;
  #lastChunk: Buffer | undefined;

  constructor(res: ServerResponse, meter: AnswerMeter) {
    this.#res = res;
    this.#meter = meter;
  }

  /**
   * Its client asked for a stream and waits. The first sign of life comes after `every`, with the head, so that until then
   * a status can still say what is wrong.
   */
  keepAlive(every: Duration): void {
    if (this.#pulse !== undefined) return;
    this.#pulse = setInterval(() => {
      this.#beat();
    }, every);
  }

  /** A replica has the request now. Signs of life that the client has seen go on; none are begun. */
  expectReplica(): void {
    if (this.#stage === 'unsent') this.silence();
  }

  /** No more signs of life. */
  silence(): void {
    clearInterval(this.#pulse);
    this.#pulse = undefined;
  }

  /**
   * A replica's answer, with headers of ours, names and values in turn. False: it does not go with what the client has been told
   * already, and nothing of it is sent.
   */
  begin(head: ResponseHead, own: readonly string[], onDrain: () => void): boolean {
    const { status, contentType } = head;
    const isEventStream = contentType?.startsWith(EVENT_STREAM) === true;
    if (this.#stage === 'waiting' && !(status === 200 && isEventStream)) return false;
    if (this.#stage === 'unsent') {
      const more = isEventStream ? UNBUFFERED : [];
      this.#sendHead(status, [...responseHeaders(head), ...more, ...own]);
    }
    this.silence();
    this.#stage = 'relaying';
    this.#meter.begin(contentType);
    this.#isEventStream = isEventStream;
    this.#res.on('drain', onDrain);
    return true;
  }

  /** False: the client does not read as fast. Go on when it has drained. */
  pass(chunk: Buffer): boolean {
    this.#lastChunk = chunk;
    this.#meter.pass(chunk);
    this.#headWaits = false;
    return this.#res.write(chunk);
  }

  /** It is whole, with what is left of it. */
  end(rest?: Buffer): void {
    this.#stage = 'over';
    if (rest !== undefined) this.#meter.pass(rest);
    this.#meter.end();
    this.#headWaits = false;
    endAnswer(this.#res, rest);
  }

  /** Ends it with an error, in the way that is still open. What has begun never looks as if it were whole. */
  refuse(refusal: Refusal): void {
    const stage = this.#stage;
    this.#stage = 'over';
    this.#headWaits = false;
    this.silence();
    switch (stage) {
      case 'unsent':
        if (this.#res.headersSent) cutOff(this.#res);
        else refuse(this.#res, refusal);
        return;
      case 'waiting':
      case 'relaying':
        this.#breakOff(refusal);
        return;
      case 'over':
        cutOff(this.#res);
        return;
      default:
        assertNever(stage);
    }
  }

  #beat(): void {
    if (this.#res.headersSent && this.#stage === 'unsent') return;
    if (this.#stage === 'unsent') {
      this.#sendHead(200, ['content-type', EVENT_STREAM, 'cache-control', 'no-cache', ...UNBUFFERED]);
      this.#stage = 'waiting';
      this.#isEventStream = true;
    }
    // A client that does not read needs no more of them.
    if (this.#res.writableNeedDrain) return;
    this.#headWaits = false;
    this.#res.write(this.dialect.heartbeat);
  }

  /** The head goes out now, not with the first byte, but in one packet with what comes along with it. */
  #sendHead(status: number, headers: string[]): void {
    const res = this.#res;
    writeHead(res, status, headers);
    this.#headWaits = true;
    process.nextTick(() => {
      if (this.#headWaits) res.flushHeaders();
      this.#headWaits = false;
    });
  }

  /** An error event where the client reads events, and never a regular end. */
  #breakOff(refusal: Refusal): void {
    const res = this.#res;
    noteOwnAnswer(res, { code: refusal.code, bytes: 0 });
    if (!this.#isEventStream) {
      cutOff(res);
      return;
    }
    const isBetweenEvents = this.#lastChunk === undefined || this.#lastChunk.subarray(-2).equals(BLANK_LINE);
    res.setTimeout(LAST_WORDS, () => {
      cutOff(res);
    });
    res.write((isBetweenEvents ? '' : '\n\n') + this.dialect.error(refusal), () => {
      cutOff(res);
    });
  }
}
