import { LLAMA_VERSION } from './llama-options.generated.ts';
import { suggest } from './nearest.ts';

/** Where the variables stand that reach a llama-server. */
type Variables = "Corral's environment" | 'env';

/** Users may bring a llama-server of another version than the one whose options are known. */
export const KNOWN_LLAMA_SERVER = `llama-server ${LLAMA_VERSION}`;
export const UNKNOWN = `neither corral nor ${KNOWN_LLAMA_SERVER} has this option`;

/** What the modes of `--load-mode` were called before there was that option, without dashes. Its help tells nothing of them. */
const LOAD_MODES: ReadonlyMap<string, string> = new Map([
  ['mmap', 'mmap'],
  ['no-mmap', 'none'],
  // It locked what was mapped, as that was what happened without --no-mmap.
  ['mlock', 'mmap+mlock'],
  ['direct-io', 'dio'],
  ['dio', 'dio'],
  ['no-direct-io', 'auto'],
  ['ndio', 'auto'],
]);

/** `undefined`: it has no successor that the table of options does not name itself. */
function findSuccessor(name: string): string | undefined {
  const mode = LOAD_MODES.get(name.replace(/^-+/u, '').replaceAll('_', '-'));
  return mode === undefined ? undefined : `${KNOWN_LLAMA_SERVER} has --load-mode instead: set it to ${mode}.`;
}

/**
 * What to do about an option that the table lacks: another took its place, it is misspelled, or the user's llama-server is of another version than the table.
 * What Corral does not know it cannot read on a command line, but all variables but the refused ones are passed on.
 */
export function fixUnknown(name: string, candidates: Iterable<string>, variables: Variables): string {
  const fix = findSuccessor(name) ?? suggest(name, candidates).fix;
  const other = `If your llama-server is of another version and has it, set its variable (LLAMA_ARG_…) in ${variables}.`;
  return fix === undefined ? other : `${fix} ${other}`;
}
