import type { Problem } from '../../api/problem.ts';
import { AZURE_FORMAT } from './azure-format.ts';
import { BURSTGPT_FORMAT } from './burstgpt-format.ts';
import type { Checked } from './checked-yaml.ts';
import { CORRAL_FORMAT } from './corral-format.ts';
import type { FormatName, TraceFormat } from './trace-format.ts';

const FORMATS: readonly TraceFormat[] = [CORRAL_FORMAT, AZURE_FORMAT, BURSTGPT_FORMAT];

/** The form of a trace whose first line names these columns; of the one that is asked for, all must be there. */
export function findFormat(file: string, columns: readonly string[], asked: FormatName | 'auto'): Checked<TraceFormat> {
  const candidates = asked === 'auto' ? FORMATS : FORMATS.filter(({ name }) => name === asked);
  const found = candidates.find((format) => missing(format, columns).length === 0);
  if (found !== undefined) return { ok: true, value: found };
  const [only, ...others] = candidates;
  const problem =
    only !== undefined && others.length === 0 ? explainMissing(only, columns) : explainUnknown(candidates, columns);
  return { ok: false, problems: [{ file, line: 1, ...problem }] };
}

const missing = (format: TraceFormat, columns: readonly string[]): string[] =>
  format.columns.filter((column) => !columns.includes(column));

type Explained = Omit<Problem, 'file'>;

const explainMissing = (format: TraceFormat, columns: readonly string[]): Explained => ({
  reason: `there is no column ${missing(format, columns).join(', nor ')} in the first line`,
  fix: `The form ${format.name} has the columns ${format.columns.join(',')}.`,
});

const explainUnknown = (formats: readonly TraceFormat[], columns: readonly string[]): Explained => ({
  reason: `these are no columns of a trace: ${columns.join(',').slice(0, 80)}`,
  fix: `The first line must name ${formats.map((format) => format.columns.join(',')).join(', or ')}.`,
});
