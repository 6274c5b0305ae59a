import { join } from 'node:path';
import type { Catalog } from '../domain/preset.ts';
import type { Problem, WithoutEffect } from './problem.ts';
import type { Unread } from './scan-models-dir.ts';

/**
 * What cannot be read of a models folder. Where a model of that name was declared before, it is a problem: the model would go,
 * or change, for an error that may pass. Else there is nothing to lose, and it is passed over, as a folder such as `lost+found` is.
 */
export function judgeUnread(
  unread: readonly Unread[],
  previous: Catalog | undefined,
): { readonly problems: readonly Problem[]; readonly withoutEffect: readonly WithoutEffect[] } {
  const before = previous === undefined ? [] : previous.presets;
  const local = new Set<string>(before.filter(({ origin }) => origin.kind !== 'manifest').map(({ model }) => model));
  return {
    problems: unread.filter(({ model }) => local.has(model)).map(problemOf),
    withoutEffect: unread
      .filter(({ model }) => !local.has(model))
      .map(({ file, field, reason }) => ({ file, field, reason })),
  };
}

const problemOf = ({ file, field, reason, model }: Unread): Problem => ({
  file: join(file, field),
  reason: `${reason}, and the model '${model}' is in force`,
  fix: 'Make it readable, or remove it if the model is to go.',
});
