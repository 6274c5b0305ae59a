/** What a row says, or what is wrong with it. */
export type Row =
  | { readonly kind: 'request'; readonly at: number; readonly model: string | undefined; readonly work: Work }
  /** No request that was served. */
  | { readonly kind: 'left-out' }
  | { readonly kind: 'fault'; readonly column: string; readonly reason: string; readonly fix?: string };

/** How much a request is: its time, or the tokens from which a model's rates make it. */
export type Work =
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'tokens'; readonly prompt: number; readonly output: number };

/** The cell of a column of a row. */
export type ReadCell = (column: string) => string;

/** A form of traces. */
export interface TraceFormat {
  readonly name: FormatName;
  /** Those that must be there, in any order; others are passed over. */
  readonly columns: readonly string[];
  /** Whether rows say which model they are for. */
  readonly namesModels: boolean;
  /** Why rows are left out. */
  readonly leftOut: string;
  readonly readRow: (cell: ReadCell) => Row;
}

/** Forms of a trace; `auto`: the one whose columns the first line has. */
export const FORMATS = ['corral', 'azure', 'burstgpt'] as const;
export type FormatName = (typeof FORMATS)[number];

/** `undefined`: not a number from 0 on. */
export function parseAmount(text: string): number | undefined {
  const value = Number(text);
  return /^\s*\d/u.test(text) && value < Infinity ? value : undefined;
}

/** What to say of a cell that is not what it must be. */
export const faultOf = (column: string, text: string, must: string): Row => ({
  kind: 'fault',
  column,
  reason: `must be ${must}, not '${text.slice(0, 80)}'`,
});
