import { hash } from 'node:crypto';
import type { ApiKey } from '../domain/api-key.ts';
import { accessOf, type Access } from './access.ts';

const NOT_ASCII = /[^\0-\x7f]/u;

/** A key that is in force. */
export interface KnownKey {
  readonly id: string;
  readonly access: Access;
  readonly maxInFlight: number | undefined;
}

/**
 * The keys in force, and how many requests each has under way. A ring without keys lets nobody in: that none are asked for is
 * said by having no ring.
 */
export class KeyRing {
  #known: ReadonlyMap<string, KnownKey> = new Map();
  /** By id, so that a key which is replaced by another of its name keeps its count. At zero there is no entry. */
  readonly #underWay = new Map<string, number>();

  constructor(keys: readonly ApiKey[]) {
    this.replace(keys);
  }

  /** From now on these keys are in force and no others. Requests that were let in before go on, and still count. */
  replace(keys: readonly ApiKey[]): void {
    this.#known = new Map(
      keys.map((key) => [key.sha256, { id: key.id, access: accessOf(key), maxInFlight: key.maxInFlight }]),
    );
  }

  /**
   * Finds a key by what a client has presented; each character is one byte, as Node reads headers.
   *
   * The digests are not compared in constant time, and need not be. What a map's look-up could tell by the time it takes is
   * something of the digests that are in it, to those who choose the digests that are looked for. Nobody chooses one: it is
   * SHA-256 of a guess. And who learnt a whole digest would still not have the key: of 128 random bits or more, nobody finds
   * it by its digest. There is no way through here that is shorter for a key that is nearly right.
   */
  find(presented: string): KnownKey | undefined {
    // Of ASCII alone the bytes are the same in both encodings.
    const bytes = NOT_ASCII.test(presented) ? Buffer.from(presented, 'latin1') : presented;
    return this.#known.get(hash('sha256', bytes, 'hex'));
  }

  /** Requests under way with the key of this id. */
  underWay(id: string): number {
    const count = this.#underWay.get(id);
    return count === undefined ? 0 : count;
  }

  /**
   * Counts a request in the tick of the call. `undefined`: the key has as many under way as it may. Else the returned function
   * ends the count; called again it changes nothing.
   */
  begin({ id, maxInFlight }: KnownKey): (() => void) | undefined {
    if (maxInFlight !== undefined && this.underWay(id) >= maxInFlight) return undefined;
    this.#add(id, 1);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#add(id, -1);
    };
  }

  #add(id: string, change: 1 | -1): void {
    const count = this.underWay(id) + change;
    if (count === 0) this.#underWay.delete(id);
    else this.#underWay.set(id, count);
  }
}
