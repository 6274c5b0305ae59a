import type { BinName, PoolName, PresetUid } from '../../../../src/domain/ids.ts';
import type { Preset } from '../../../../src/domain/preset.ts';
import type { DrainCause, Replica } from '../../../../src/domain/replica.ts';
import type { Declarations } from './declarations.ts';
import { hasRoom, type Placed } from './has-room.ts';
import { isLeaving, takesRoom } from './truth.ts';

/**
 * Whom others leave for by the fairness rule: nobody else may take what they leave. Of two for whom others leave the older one
 * goes first, also where it has given up in between and has come back.
 */
export class KeptRoom {
  readonly #declarations: Declarations;
  readonly #kept = new Map<PresetUid, PoolName>();
  readonly #claimants = new Set<PresetUid>();

  constructor(declarations: Declarations) {
    this.#declarations = declarations;
  }

  noteDrain({ pool }: Replica, cause: DrainCause): void {
    if (cause.kind !== 'fairness') return;
    this.#kept.set(cause.beneficiary, pool);
    this.#claimants.add(cause.beneficiary);
  }

  /** It has what it waited for. */
  served(uid: PresetUid): void {
    this.#kept.delete(uid);
    this.#claimants.delete(uid);
  }

  /** Only these still want it. */
  keepOnly(waiting: ReadonlySet<PresetUid>): void {
    for (const uid of this.#kept.keys()) if (!waiting.has(uid)) this.#kept.delete(uid);
  }

  /** Who would not find room any more, with all that is free and all that leaves, if a replica of `preset` came into a bin. */
  whoLoses(preset: Preset, bin: BinName, replicas: readonly Replica[]): readonly PresetUid[] {
    const pool = this.#declarations.findPool(preset.pool);
    if (pool === undefined || this.#claimants.has(preset.uid)) return [];
    const staying: Placed[] = replicas
      .filter((one) => one.pool === pool.name && takesRoom(one) && !isLeaving(one))
      .map((one) => ({ bin: one.bin, footprint: this.#declarations.footprintOf(one) }));
    const there = [...staying, { bin, footprint: preset.footprint }];
    return [...this.#kept].flatMap(([uid, where]) => {
      const beneficiary = this.#declarations.find(uid);
      if (beneficiary === undefined || where !== pool.name) return [];
      return hasRoom(pool, there, beneficiary.footprint) ? [] : [uid];
    });
  }
}
