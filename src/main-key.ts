import { randomBytes } from 'node:crypto';
import type { KeyFlags } from './cli/key-options.ts';
import { KEY_BYTES, makeKey } from './cli/make-key.ts';

const EXIT_OK = 0;

/**
 * `corral key`: makes a key. The entry goes to standard output and the key to standard error, so that the one can be added to
 * the keys file without the other.
 */
export function runKey(flags: KeyFlags): number {
  const { key, entry } = makeKey(flags, randomBytes(KEY_BYTES));
  process.stderr.write(`The key of ${flags.id}. It is shown this once:\n${key}\n`);
  process.stdout.write(entry);
  return EXIT_OK;
}
