import { hash } from 'node:crypto';
import { stringify } from 'yaml';
import type { KeyFlags } from './key-options.ts';

/** A new key, and its entry for the list of a keys file, in YAML. */
export interface MadeKey {
  readonly key: string;
  readonly entry: string;
}

/** By which people and scanners for leaked secrets know it. */
const PREFIX = 'corral_';
/** Twice what nobody can guess. */
export const KEY_BYTES = 32;

/** `random`: as many bytes as `KEY_BYTES`, from a source for secrets. */
export function makeKey({ id, ...rights }: KeyFlags, random: Buffer): MadeKey {
  const key = PREFIX + random.toString('base64url');
  const { models, operations, maxInFlight } = rights;
  const entry = stringify([{ id, sha256: hash('sha256', key), models, operations, maxInFlight }], {
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'PLAIN',
    lineWidth: 0,
  });
  return { key, entry };
}
