import { suggest } from '../../api/nearest.ts';
import type { Problem } from '../../api/problem.ts';
import { Random } from '../traces/random.ts';
import { durationOf, type TableModel } from '../traces/table-model.ts';
import { TraceBuilder } from '../traces/trace-builder.ts';
import { drawByZipf } from '../traces/zipf.ts';
import type { Checked } from './checked-yaml.ts';
import type { Row, TraceFormat, Work } from './trace-format.ts';
import type { TraceOptions, TraceRead } from './trace-options.ts';

/** More would not help to see what is wrong. */
const MOST_PROBLEMS = 10;

/** Why a row is no request, and of which column; `undefined`: of the row as a whole. */
type Fault = Pick<Problem, 'reason' | 'fix'> & { readonly column: string | undefined };

/** Reads the rows of one trace, from the second line on. */
export class TraceReader {
  readonly #format: TraceFormat;
  readonly #columns: readonly string[];
  readonly #file: string;
  readonly #models: readonly TableModel[];
  readonly #findModel: (name: string | undefined) => number | undefined;
  readonly #builder = new TraceBuilder();
  readonly #problems: Problem[] = [];
  readonly #unknown = new Set<string>();
  #line = 1;
  #leftOut = 0;
  #first: number | undefined;
  #latest = 0;

  /** `columns`: what the first line has named, with all of the format's. */
  constructor(format: TraceFormat, columns: readonly string[], { file, models, spread }: TraceOptions) {
    this.#format = format;
    this.#columns = columns;
    this.#file = file;
    this.#models = models;
    const byName = new Map(models.map(({ name }, index) => [name, index]));
    if (spread === undefined) this.#findModel = (name) => (name === undefined ? undefined : byName.get(name));
    else {
      const draw = drawByZipf(models.length, spread.exponent);
      const random = new Random(spread.seed);
      this.#findModel = () => draw(random);
    }
  }

  /** Whether to go on: not after too many problems. */
  readAll(lines: readonly string[]): boolean {
    for (const line of lines) {
      this.#line += 1;
      if (line !== '') this.#read(line);
      if (this.#problems.length >= MOST_PROBLEMS) return false;
    }
    return true;
  }

  finish(): Checked<TraceRead> {
    if (this.#problems.length > 0) return { ok: false, problems: this.#problems };
    if (this.#builder.length === 0)
      return { ok: false, problems: [{ file: this.#file, reason: 'there are no requests' }] };
    const notes = this.#leftOut === 0 ? [] : [`requests left out: ${this.#leftOut} ${this.#format.leftOut}`];
    return { ok: true, value: { trace: this.#builder.build(), notes } };
  }

  #read(line: string): void {
    const cells = line.split(',');
    const fault = cells.length === this.#columns.length ? this.#take(cells) : this.#miscounted(cells.length);
    if (fault !== undefined) this.#report(cells, fault);
  }

  #miscounted(count: number): Fault {
    return { column: undefined, reason: `the row has ${count} columns, and the first line ${this.#columns.length}` };
  }

  #take(cells: readonly string[]): Fault | undefined {
    const row = this.#format.readRow((column) => String(cells[this.#columns.indexOf(column)]).trim());
    switch (row.kind) {
      case 'fault':
        return row;
      case 'left-out':
        this.#leftOut += 1;
        return undefined;
      case 'request':
        return this.#add(row);
    }
  }

  #add({ at, model, work }: Extract<Row, { kind: 'request' }>): Fault | undefined {
    const index = this.#findModel(model);
    const found = index === undefined ? undefined : this.#models[index];
    if (index === undefined || found === undefined) return this.#unknownModel(String(model));
    if (this.#first === undefined) this.#first = at;
    else if (at < this.#latest)
      return {
        column: this.#format.columns[0],
        reason: 'this is earlier than the row before',
        fix: 'Sort the rows by time.',
      };
    this.#latest = at;
    this.#builder.add(at - this.#first, index, timeOf(work, found));
    return undefined;
  }

  /** Each is told once. */
  #unknownModel(name: string): Fault | undefined {
    if (this.#unknown.has(name)) return undefined;
    this.#unknown.add(name);
    const names = this.#models.map((model) => model.name);
    const column = this.#format.columns.find((one) => one.toLowerCase() === 'model');
    return { column, reason: `there is no model ${name} in the table of models`, ...suggest(name, names) };
  }

  #report(cells: readonly string[], { column, reason, fix }: Fault): void {
    const index = column === undefined ? -1 : this.#columns.indexOf(column);
    const site = column === undefined ? {} : { column: columnOf(cells, index), field: column };
    this.#problems.push({ file: this.#file, line: this.#line, ...site, reason, ...(fix === undefined ? {} : { fix }) });
  }
}

/** Where a cell begins in its line, from 1 on. */
const columnOf = (cells: readonly string[], index: number): number =>
  cells.slice(0, index).reduce((sum, cell) => sum + cell.length + 1, 1);

function timeOf(work: Work, model: TableModel): number {
  switch (work.kind) {
    case 'time':
      return work.ms;
    case 'tokens':
      return durationOf(model, work.prompt, work.output);
  }
}
