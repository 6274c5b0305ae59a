import { type ArgItem, OPTION_NAMES, findOption, splitValues } from './llama-options.ts';
import type { Problem } from './problem.ts';
import { findRefusal } from './reserved-options.ts';
import { KNOWN_LLAMA_SERVER, fixUnknown } from './unknown-option.ts';

type Fault = Pick<Problem, 'reason' | 'fix'>;
type ParsedArg = { readonly kind: 'item'; readonly item: ArgItem } | { readonly kind: 'fault'; readonly fault: Fault };

const fault = (name: string, reason: string, fix?: string): ParsedArg => ({
  kind: 'fault',
  fault: { reason: `${name}: ${reason}`, ...(fix === undefined ? {} : { fix }) },
});

function readItem(name: string, text: string | undefined): ParsedArg {
  const found = findOption(name);
  if (found === undefined) {
    return fault(name, `${KNOWN_LLAMA_SERVER} has no such option`, fixUnknown(name, OPTION_NAMES, 'env'));
  }
  const { option, negated } = found;
  if (option.values === 0) {
    if (text !== undefined)
      return fault(name, 'this option takes no value', `Write ${name}, or one that switches it off.`);
    return { kind: 'item', item: { kind: 'flag', option, on: !negated } };
  }
  const values = text === undefined ? undefined : splitValues(option, text);
  if (values !== undefined) return { kind: 'item', item: { kind: 'values', option, values } };
  return fault(name, 'this option needs a value', `Write ${name}=${option.values === 1 ? 'VALUE' : 'FIRST SECOND'}.`);
}

/** Reads one item of a manifest's `args`: `--name` or `--name=value`, split at the first `=`; two values are two words. */
export function parseManifestArg(text: string): ParsedArg {
  const at = text.indexOf('=');
  const name = at === -1 ? text : text.slice(0, at);
  const parsed = readItem(name, at === -1 ? undefined : text.slice(at + 1));
  if (parsed.kind === 'fault') return parsed;
  const refused = findRefusal(parsed.item, 'manifest');
  return refused === undefined ? parsed : fault(name, refused.reason, refused.fix);
}
