import { type Rule, textRule } from './manifest-rule.ts';

export const MAX_NAME_BYTES = 256;

/** What a model name or an alias must be. Each says the same in CEL. */
export const NAME_RULES: readonly Rule[] = [
  textRule(
    { cel: `bytes(self).size() <= ${MAX_NAME_BYTES}`, message: `a model name has at most ${MAX_NAME_BYTES} bytes` },
    (name) => Buffer.byteLength(name) <= MAX_NAME_BYTES,
  ),
  textRule(
    { cel: String.raw`!self.matches(r'\p{Cc}')`, message: 'a model name must not hold control characters' },
    (name) => !/\p{Cc}/u.test(name),
  ),
  textRule(
    { cel: 'self.trim() == self', message: 'a model name must not begin or end with blanks' },
    // Go's idea of a blank, which is Unicode's; JavaScript's own `trim` takes U+FEFF for one too.
    (name) => !/^\p{White_Space}|\p{White_Space}$/u.test(name),
  ),
  textRule(
    {
      cel: "!self.contains(',')",
      message: 'a model name must not hold a comma, at which llama-server splits names',
    },
    (name) => !name.includes(','),
  ),
];

/**
 * What keeps `text` from being a model name or an alias; `undefined`: nothing. Names are compared byte for byte and may
 * hold `/`, `:`, `.` and capitals. A comma is refused because llama-server splits its `--alias` there.
 */
export function findNameFault(text: string): string | undefined {
  if (text === '') return 'a model name must not be empty';
  if (!text.isWellFormed()) return 'a model name must be valid Unicode';
  return NAME_RULES.find((rule) => rule.findFault(text) !== undefined)?.message;
}
