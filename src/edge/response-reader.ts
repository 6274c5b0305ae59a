import { ChunkedBody } from './chunked-body.ts';
import { parseResponseHead, ProtocolError, type ResponseHead } from './response-head.ts';

/** Who is told of an answer. */
export interface ResponseListener {
  head(head: ResponseHead): void;
  /** A part of the body, its own to keep. `isLast`: the answer is whole with it, and nothing else is told before that. */
  body(part: Buffer, isLast: boolean): void;
}

/** Bytes of a head, its blank line included; llama-server's has about 250. */
const MAX_HEAD = 16 * 1024;
/** Of answers that come before the answer, as 103 Early Hints. */
const MAX_INTERIM = 16;
const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING: Buffer = Buffer.alloc(0);

/** Reads one answer from the bytes of its connection, however they are cut. */
export class ResponseReader {
  readonly #listener: ResponseListener;
  /** Of a head that has not come to its end. */
  #begun = NOTHING;
  #interim = 0;
  #body: ChunkedBody | undefined;
  /** Bytes of a body of known length that are still to come; `undefined`: that is not known yet, or it comes in chunks. */
  #left: number | undefined;
  #keepAlive: number | undefined;

  constructor(listener: ResponseListener) {
    this.#listener = listener;
  }

  /** The answer was read to its end. */
  get isWhole(): boolean {
    return this.#body === undefined ? this.#left === 0 : this.#body.isWhole;
  }

  /** Its head was read. */
  get hasHead(): boolean {
    return !this.#isInHead;
  }

  /** As in its head. */
  get keepAlive(): number | undefined {
    return this.#keepAlive;
  }

  /**
   * Takes what has come, which it does not keep. Returns how much of it belongs to the answer: if that is less than all, it is
   * whole, and what follows it nobody has asked for. Throws ProtocolError, and what the listener throws.
   */
  read(bytes: Buffer): number {
    let at = 0;
    while (this.#isInHead) {
      const end = this.#readHead(bytes, at);
      if (end === undefined) return bytes.length;
      at = end;
    }
    return this.#body === undefined ? this.#readKnown(bytes, at) : this.#readChunks(this.#body, bytes, at);
  }

  get #isInHead(): boolean {
    return this.#body === undefined && this.#left === undefined;
  }

  /** Returns the index behind a head; `undefined`: it goes on beyond `bytes`. */
  #readHead(bytes: Buffer, from: number): number | undefined {
    const known = this.#begun.length;
    const seen = known === 0 ? bytes.subarray(from) : Buffer.concat([this.#begun, bytes.subarray(from)]);
    const end = seen.indexOf(HEAD_END, Math.max(0, known - HEAD_END.length + 1));
    if ((end === -1 ? seen.length : end + HEAD_END.length) > MAX_HEAD)
      throw new ProtocolError('the head of its answer is too long');
    if (end === -1) {
      this.#begun = known === 0 ? Buffer.from(seen) : seen;
      return undefined;
    }
    this.#begun = NOTHING;
    this.#take(parseResponseHead(seen.toString('latin1', 0, end)));
    return from + end + HEAD_END.length - known;
  }

  #take(head: ResponseHead): void {
    if (head.status < 200) {
      this.#interim += 1;
      if (head.status === 101 || this.#interim > MAX_INTERIM)
        throw new ProtocolError('it answered with what was not asked for');
      return;
    }
    this.#keepAlive = head.keepAlive;
    if (head.length.kind === 'chunked') this.#body = new ChunkedBody();
    else this.#left = head.length.kind === 'known' ? head.length.bytes : 0;
    this.#listener.head(head);
  }

  #readKnown(bytes: Buffer, at: number): number {
    const left = this.#left ?? 0;
    const end = Math.min(bytes.length, at + left);
    if (end === at) return end;
    this.#left = left - (end - at);
    this.#listener.body(Buffer.from(bytes.subarray(at, end)), this.#left === 0);
    return end;
  }

  /** All the data of `bytes` in one part: each part costs its way to the client. */
  #readChunks(body: ChunkedBody, bytes: Buffer, at: number): number {
    const data: Buffer[] = [];
    const end = body.read(bytes, at, data);
    const [only] = data;
    if (only !== undefined)
      this.#listener.body(data.length === 1 ? Buffer.from(only) : Buffer.concat(data), body.isWhole);
    return end;
  }
}
