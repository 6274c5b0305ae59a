import type { Trace } from '../scenario.ts';
import type { TableModel } from '../traces/table-model.ts';
import type { FormatName } from './trace-format.ts';

/** How requests are given models by chance, instead of by what the trace says. */
export interface Spread {
  /** Of Zipf's law over the models of the table, the first of which is the most popular; 0: all alike. */
  readonly exponent: number;
  readonly seed: number;
}

export interface TraceOptions {
  /** As the user named it. */
  readonly file: string;
  readonly format: FormatName | 'auto';
  readonly models: readonly TableModel[];
  /** `undefined`: the trace names the models. */
  readonly spread: Spread | undefined;
}

/** A trace, and what is to be said about it. */
export interface TraceRead {
  readonly trace: Trace;
  readonly notes: readonly string[];
}
