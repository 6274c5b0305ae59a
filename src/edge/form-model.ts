import { isUtf8 } from 'node:buffer';
import { assertNever } from '../domain/assert-never.ts';
import { NO_HEAD, withLine, type PartHead } from './form-part.ts';
import type { FoundModel } from './found-model.ts';

export const MAX_PARTS = 32;
/** Bytes of the value of `model`. */
export const MAX_MODEL_BYTES = 1024;
/** Bytes of one header of a part, which may hold the name of a file. */
export const MAX_LINE_BYTES = 4096;

const CRLF = Buffer.from('\r\n');
const FIELDS = ['model', 'stream'] as const;
type Field = (typeof FIELDS)[number];
const isField = (name: string | undefined): name is Field => FIELDS.some((field) => field === name);

/** What the next bytes are. */
type State = 'opening' | 'head' | 'content' | 'delimited' | 'closed';

/**
 * Finds the fields `model` and `stream` in the bytes of a multipart/form-data body (RFC 7578) while they arrive. Refuses whatever is not
 * in the one form that cannot be read in two ways, by llama-server's HTTP library or another: see docs/decisions/0011.
 */
export class FormModelReader {
  readonly #opening: Buffer;
  readonly #delimiter: Buffer;
  #state: State = 'opening';
  #reason: string | undefined;
  /** What has been looked at; a delimiter that may have begun before `size` is looked for again. */
  #at = 0;
  #parts = 0;
  #head: PartHead = NO_HEAD;
  #contentStart = 0;
  #endsWell = false;
  readonly #values = new Map<Field, string>();

  constructor(boundary: string) {
    this.#opening = Buffer.from(`--${boundary}\r\n`);
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  /** The first `size` of `bytes` have arrived. Those of before are the same, though `bytes` may be another buffer. */
  read(bytes: Buffer, size: number): void {
    const arrived = bytes.subarray(0, size);
    while (this.#reason === undefined && this.#step(arrived)) continue;
  }

  /** What was found, now that all bytes have arrived. */
  finish(): FoundModel {
    if (this.#reason === undefined && this.#state !== 'closed') this.#refuse('ends before its last delimiter');
    if (this.#reason === undefined && !this.#endsWell) this.#refuse('goes on after its last delimiter');
    if (this.#reason !== undefined) return { ok: false, reason: this.#reason };
    const model = this.#values.get('model');
    if (model === undefined) return { ok: false, reason: 'the form has no field "model"' };
    if (model === '') return { ok: false, reason: 'the field "model" of the form is empty' };
    return { ok: true, model, stream: this.#values.get('stream') === 'true', closedAt: undefined };
  }

  /** Goes one piece on. False: more bytes have to come before. */
  #step(arrived: Buffer): boolean {
    switch (this.#state) {
      case 'opening':
        return this.#open(arrived);
      case 'head':
        return this.#readLine(arrived);
      case 'content':
        return this.#readContent(arrived);
      case 'delimited':
        return this.#afterDelimiter(arrived);
      case 'closed':
        return this.#readEnd(arrived);
      default:
        return assertNever(this.#state);
    }
  }

  #open(arrived: Buffer): boolean {
    const begun = arrived.subarray(0, this.#opening.length);
    if (!begun.equals(this.#opening.subarray(0, begun.length))) this.#refuse('does not begin with its boundary');
    if (begun.length < this.#opening.length) return false;
    this.#at = begun.length;
    this.#beginPart();
    return true;
  }

  #beginPart(): void {
    this.#parts += 1;
    if (this.#parts > MAX_PARTS) this.#refuse(`has more than ${MAX_PARTS} parts`);
    this.#head = NO_HEAD;
    this.#state = 'head';
  }

  #readLine(arrived: Buffer): boolean {
    // One more than is allowed, and the end of the line.
    const window = arrived.subarray(this.#at, this.#at + MAX_LINE_BYTES + 3);
    const length = window.indexOf(CRLF);
    if (length > MAX_LINE_BYTES || (length === -1 && window.length > MAX_LINE_BYTES + 1)) {
      this.#refuse(`has a header of more than ${MAX_LINE_BYTES} bytes`);
    }
    if (length === -1) return false;
    this.#at += length + CRLF.length;
    if (length === 0) this.#endHead();
    else this.#addLine(window.toString('latin1', 0, length));
    return true;
  }

  #addLine(line: string): void {
    const head = withLine(this.#head, line);
    if ('reason' in head) this.#refuse(`cannot be read: ${head.reason}`);
    else this.#head = head;
  }

  #endHead(): void {
    const { name, isFile } = this.#head;
    if (name === undefined) this.#refuse('has a part without Content-Disposition');
    if (isField(name) && isFile) this.#refuse(`has a file as ${JSON.stringify(name)}, which is a field`);
    if (isField(name) && this.#values.has(name)) this.#refuse(`has ${JSON.stringify(name)} more than once`);
    this.#contentStart = this.#at;
    this.#state = 'content';
  }

  #readContent(arrived: Buffer): boolean {
    const end = arrived.indexOf(this.#delimiter, this.#at);
    const known = end === -1 ? Math.max(this.#at, arrived.length - this.#delimiter.length + 1) : end;
    const { name } = this.#head;
    if (isField(name) && known - this.#contentStart > MAX_MODEL_BYTES) {
      this.#refuse(`has a ${JSON.stringify(name)} of more than ${MAX_MODEL_BYTES} bytes`);
    }
    this.#at = known;
    if (end === -1) return false;
    if (isField(name)) this.#keep(name, arrived.subarray(this.#contentStart, end));
    this.#at = end + this.#delimiter.length;
    this.#state = 'delimited';
    return true;
  }

  #keep(name: Field, content: Buffer): void {
    if (isUtf8(content)) this.#values.set(name, content.toString());
    else this.#refuse(`has a ${JSON.stringify(name)} that is not valid UTF-8`);
  }

  #afterDelimiter(arrived: Buffer): boolean {
    const next = arrived.toString('latin1', this.#at, this.#at + 2);
    if (next.length < 2) return false;
    this.#at += 2;
    if (next === '\r\n') this.#beginPart();
    else if (next === '--') this.#state = 'closed';
    else this.#refuse('has something else than a line end or two dashes after its boundary');
    return true;
  }

  /** One line end may follow, and nothing else. */
  #readEnd(arrived: Buffer): boolean {
    const rest = arrived.subarray(this.#at);
    this.#endsWell = rest.length === 0 || rest.equals(CRLF);
    return false;
  }

  /** The first thing that is wrong is told. */
  #refuse(problem: string): void {
    this.#reason = this.#reason === undefined ? `the form ${problem}` : this.#reason;
  }
}
