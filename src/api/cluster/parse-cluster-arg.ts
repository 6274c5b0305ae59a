import { type ArgItem, findOption } from '../llama-options.ts';
import { parseManifestArg } from '../parse-manifest-arg.ts';

export type ClusterArg =
  { readonly kind: 'item'; readonly item: ArgItem } | { readonly kind: 'fault'; readonly message: string };

const item = (one: ArgItem): ClusterArg => ({ kind: 'item', item: one });

/** An option that only another version of llama-server knows: it has a value if one is written. */
function unknownItem(name: string, value: string | undefined): ClusterArg {
  const option = { names: [name], negatives: [], env: undefined, removed: undefined };
  if (value === undefined) return item({ kind: 'flag', option: { ...option, values: 0 }, on: true });
  return item({ kind: 'values', option: { ...option, values: 1 }, values: [value] });
}

/**
 * Reads one item of a preset's `args` where the image decides which options there are: one that is unknown here, or that
 * takes no value here, is passed on as it is written (llama-server's `--flash-attn` was a flag once, and has a value now).
 * One that needs a value here and has none is a fault: it would swallow the option after it.
 */
export function parseClusterArg(text: string): ClusterArg {
  const at = text.indexOf('=');
  const name = at === -1 ? text : text.slice(0, at);
  const value = at === -1 ? undefined : text.slice(at + 1);
  const found = findOption(name);
  if (found === undefined || found.option.removed !== undefined) return unknownItem(name, value);
  if (found.option.values > 0) {
    const parsed = parseManifestArg(text);
    return parsed.kind === 'item' ? parsed : { kind: 'fault', message: withFix(parsed.fault) };
  }
  if (value === undefined) return item({ kind: 'flag', option: found.option, on: !found.negated });
  if (found.negated) return unknownItem(name, value);
  return item({ kind: 'values', option: found.option, values: [value] });
}

const withFix = ({ reason, fix }: { readonly reason: string; readonly fix?: string }): string =>
  fix === undefined ? reason : `${reason}. ${fix}`;
