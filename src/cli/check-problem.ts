import type { ServeFlags } from './serve-options.ts';

/** Files and folders that `--check` does not look at. */
const UNCHECKED = new Map([
  ['modelsDir', '--models-dir'],
  ['modelsPreset', '--models-preset'],
  ['keysFile', '--keys-file'],
  ['apiKeyFile', '--api-key-file'],
] as const);

/**
 * What is wrong with the flags beside `--check`, in one sentence: whoever names a file there would take it for checked. `typed`
 * are those of the command line: a variable is there for the server, and is passed over.
 */
export function checkProblem({ check }: Pick<ServeFlags, 'check'>, typed: ReadonlySet<string>): string | undefined {
  if (check !== true) return undefined;
  const flags = [...UNCHECKED].filter(([name]) => typed.has(name)).map(([, flag]) => flag);
  if (flags.length === 0) return undefined;
  return `--check reads manifests only, which -f names: leave out ${flags.join(', ')}`;
}
