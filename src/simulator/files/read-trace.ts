import type { Checked } from './checked-yaml.ts';
import { findFormat } from './find-format.ts';
import { TraceReader } from './trace-reader.ts';
import type { TraceFormat } from './trace-format.ts';
import type { Spread, TraceOptions, TraceRead } from './trace-options.ts';

/**
 * Reads a trace from the lines of a CSV file, of which the first names the columns. Times are counted from the first request.
 * Throws what `lines` throws.
 */
export async function readTrace(
  lines: AsyncIterable<readonly string[]>,
  options: TraceOptions,
): Promise<Checked<TraceRead>> {
  let reader: TraceReader | undefined;
  for await (const batch of lines) {
    const [first] = batch;
    if (first === undefined) continue;
    const begun: Checked<TraceReader> = reader === undefined ? begin(first, options) : { ok: true, value: reader };
    if (!begun.ok) return begun;
    const rows = reader === undefined ? batch.slice(1) : batch;
    reader = begun.value;
    if (!reader.readAll(rows)) break;
  }
  if (reader !== undefined) return reader.finish();
  return { ok: false, problems: [{ file: options.file, reason: 'the file is empty' }] };
}

function begin(first: string, options: TraceOptions): Checked<TraceReader> {
  const columns = first.split(',').map((name) => name.trim());
  const format = findFormat(options.file, columns, options.format);
  if (!format.ok) return format;
  const reason = findSpreadFault(format.value, options.spread);
  if (reason !== undefined) return { ok: false, problems: [{ file: options.file, ...reason }] };
  return { ok: true, value: new TraceReader(format.value, columns, options) };
}

function findSpreadFault(format: TraceFormat, spread: Spread | undefined): { reason: string; fix: string } | undefined {
  if (format.namesModels || spread !== undefined) return undefined;
  return {
    reason: 'the trace does not say which model a request is for',
    fix: "Spread the requests over the models of the table by Zipf's law, for instance with --spread 1.",
  };
}
