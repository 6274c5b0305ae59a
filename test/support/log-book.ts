import Type from 'typebox';
import { Value } from 'typebox/value';
import { Watch } from '../../src/testing/watch.ts';

/** One line of Corral's log, with the fields that tests look at. */
const LogLineSchema = Type.Object({
  msg: Type.String(),
  level: Type.Optional(Type.Integer()),
  url: Type.Optional(Type.String()),
  replica: Type.Optional(Type.String()),
  pid: Type.Optional(Type.Integer()),
  pids: Type.Optional(Type.Array(Type.Integer())),
  cause: Type.Optional(Type.String()),
  how: Type.Optional(Type.String()),
  reason: Type.Optional(Type.String()),
  model: Type.Optional(Type.String()),
  path: Type.Optional(Type.String()),
  signal: Type.Optional(Type.String()),
  status: Type.Optional(Type.Integer()),
  route: Type.Optional(Type.String()),
  bytesOut: Type.Optional(Type.Integer()),
  tokensIn: Type.Optional(Type.Integer()),
  tokensOut: Type.Optional(Type.Integer()),
});

export type LogLine = Type.Static<typeof LogLineSchema>;

/** What a line must say: every field given here must be equal. */
export type Expected = { readonly [Field in Exclude<keyof LogLine, 'pids'>]?: LogLine[Field] | undefined };

const matches = (line: LogLine, expected: Expected): boolean =>
  Object.entries(expected).every(([field, value]) => Object.entries(line).some(([f, v]) => f === field && v === value));

/** For so long a line may be on its way, in milliseconds: what takes longer does not come. */
const PATIENCE_MS = 90_000;

/** The log of one Corral as it is written: its lines are the events that tests wait for. */
export class LogBook {
  readonly #lines: LogLine[] = [];
  readonly #watch = new Watch(() => this.#written(), PATIENCE_MS);
  #closed: string | undefined;

  /** All lines so far. */
  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** Takes in one line. Throws if it is no JSON object with a message: Corral writes nothing else to a pipe. */
  add(text: string): void {
    const line: unknown = JSON.parse(text);
    if (!Value.Check(LogLineSchema, line)) throw new Error(`not a log line: ${text}`);
    this.#lines.push(line);
    this.#watch.look();
  }

  /** Nothing more will be written: whoever still waits is told why. */
  close(why: string): void {
    this.#closed = why;
    this.#watch.look();
  }

  /** The first such line from position `from` on, written already or yet to come. Rejects if none can come, or does. */
  async waitFor(expected: Expected, from = 0): Promise<LogLine> {
    let next = from;
    return this.#watch.find(() => {
      const at = this.#lines.findIndex((line, index) => index >= next && matches(line, expected));
      if (at === -1 && this.#closed !== undefined) throw this.#missed(expected);
      next = this.#lines.length;
      return this.#lines[at];
    }, JSON.stringify(expected));
  }

  all(expected: Expected): readonly LogLine[] {
    return this.#lines.filter((line) => matches(line, expected));
  }

  /** Where the first such line stands, once it is written: the log may come later than an answer. */
  async indexOf(expected: Expected): Promise<number> {
    return this.#lines.indexOf(await this.waitFor(expected));
  }

  #missed(expected: Expected): Error {
    return new Error(
      `corral ended (${String(this.#closed)}) without logging ${JSON.stringify(expected)}\n${this.#written()}`,
    );
  }

  #written(): string {
    return this.#lines.map((line) => JSON.stringify(line)).join('\n');
  }
}
