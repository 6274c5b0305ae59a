import { basename, dirname, extname } from 'node:path';
import type { Duration } from '../../domain/units.ts';
import type { Pool } from '../../domain/pool.ts';
import type { Scenario } from '../scenario.ts';
import { generateTrace } from '../traces/generate-trace.ts';
import type { ModelTable } from '../traces/table-model.ts';
import type { Checked } from './checked-yaml.ts';
import { explainUnreadable, readLines, readTextFile } from './read-lines.ts';
import { readModelTable } from './read-model-table.ts';
import { readRecipe } from './read-recipe.ts';
import { readTrace } from './read-trace.ts';
import type { FormatName } from './trace-format.ts';
import type { Spread, TraceRead } from './trace-options.ts';

/** `recipe`: the file says how to make a trace. `auto`: a recipe if its name ends in .yaml or .yml, else what its first line says. */
export type InputFormat = FormatName | 'recipe' | 'auto';

/** What a scenario is read from. */
export interface ScenarioFiles {
  readonly trace: string;
  readonly models: string;
  readonly format: InputFormat;
  readonly spread: Spread | undefined;
}

export interface LoadedScenario {
  readonly scenario: Scenario & { readonly pool: Pool; readonly maxWait: Duration };
  /** What is to be said about the trace. */
  readonly notes: readonly string[];
}

/** Reads a table of models and a trace, or makes the trace of a recipe. What is wrong with them is a problem, never an exception. */
export async function loadScenario(files: ScenarioFiles): Promise<Checked<LoadedScenario>> {
  const text = await readTextFile(files.models);
  const table = text.ok ? readModelTable(text.value, files.models) : text;
  if (!table.ok) return table;
  const read = isRecipe(files) ? await makeTrace(files, table.value) : await readCsv(files, table.value);
  if (!read.ok) return read;
  const { trace, notes } = read.value;
  return { ok: true, value: { scenario: { name: nameOf(files.trace), ...table.value, trace }, notes } };
}

const isRecipe = ({ trace, format }: ScenarioFiles): boolean =>
  format === 'recipe' || (format === 'auto' && ['.yaml', '.yml'].includes(extname(trace)));

/** `zipf` of `zipf/trace.yaml`, and `monday` of `monday.csv`. */
function nameOf(file: string): string {
  const name = basename(file, extname(file));
  const folder = basename(dirname(file));
  return name === 'trace' && !['', '.', '..'].includes(folder) ? folder : name;
}

async function makeTrace({ trace: file, spread }: ScenarioFiles, table: ModelTable): Promise<Checked<TraceRead>> {
  if (spread !== undefined) {
    const reason = 'a recipe says itself which models are asked for';
    return { ok: false, problems: [{ file: 'command line', field: '--spread', reason, fix: 'Use its zipf.' }] };
  }
  const text = await readTextFile(file);
  const recipe = text.ok ? readRecipe(text.value, file, table) : text;
  return recipe.ok ? { ok: true, value: { trace: generateTrace(recipe.value, table.models), notes: [] } } : recipe;
}

async function readCsv(files: ScenarioFiles, { models }: ModelTable): Promise<Checked<TraceRead>> {
  const { trace: file, format, spread } = files;
  if (format === 'recipe') throw new Error('a recipe is not read as a CSV file');
  try {
    return await readTrace(readLines(file), { file, format, models, spread });
  } catch (error) {
    return { ok: false, problems: [explainUnreadable(file, error)] };
  }
}
