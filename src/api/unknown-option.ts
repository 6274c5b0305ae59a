import { LLAMA_VERSION } from './llama-options.generated.ts';
import { suggest } from './nearest.ts';

/** Where the variables stand that reach a llama-server. */
type Variables = "Corral's environment" | 'env';

/** Users may bring a llama-server of another version than the one whose options are known. */
export const KNOWN_LLAMA_SERVER = `llama-server ${LLAMA_VERSION}`;
export const UNKNOWN = `neither corral nor ${KNOWN_LLAMA_SERVER} has this option`;

/**
 * What to do about an option that the table lacks: it is misspelled, or the user's llama-server is of another version than the table.
 * What Corral does not know it cannot read on a command line, but all variables but the refused ones are passed on.
 */
export function fixUnknown(name: string, candidates: Iterable<string>, variables: Variables): string {
  const { fix } = suggest(name, candidates);
  const other = `If your llama-server is of another version and has it, set its variable (LLAMA_ARG_…) in ${variables}.`;
  return fix === undefined ? other : `${fix} ${other}`;
}
