import { type ArgItem, findOption } from './llama-options.ts';

const PARALLEL = findOption('--parallel')?.option;

/** What `auto` means, which holds where nobody sets the option (llama.cpp v0.5.0, tools/server/server.cpp: n_parallel < 0). */
const AUTO = 4;

/**
 * How many requests one llama-server works on at once: its `--parallel`, or the variable for it, over which the option wins. A
 * value that Corral cannot read (it comes from a Secret, or llama-server will refuse it) counts as none.
 */
export function slotsOf(args: readonly ArgItem[], env: ReadonlyMap<string, string>): number {
  const given = args.findLast(({ option }) => option === PARALLEL);
  const variable = PARALLEL?.env === undefined ? undefined : env.get(PARALLEL.env);
  const text = given?.kind === 'values' ? given.values.join() : variable;
  const slots = text === undefined ? AUTO : Number(text);
  return Number.isSafeInteger(slots) && slots > 0 ? slots : AUTO;
}
