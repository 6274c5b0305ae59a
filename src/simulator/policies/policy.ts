import type { Ledger } from '../../activity/ledger.ts';
import type { PresetUid } from '../../domain/ids.ts';
import type { Pool } from '../../domain/pool.ts';
import type { Preset } from '../../domain/preset.ts';
import type { Replica } from '../../domain/replica.ts';
import type { Instant } from '../../domain/units.ts';
import type { Action } from '../../planner/action.ts';

/** A model somebody waits for. */
export interface Wish {
  readonly preset: Preset;
  /** When the oldest of those that wait now came. */
  readonly since: Instant;
}

/** What a policy sees and may do. Physics are the same for all: see `Fleet`. */
export interface World {
  readonly pool: Pool;
  /** One for each model, in their order. */
  readonly presets: readonly Preset[];
  /** Those of them that are loaded without demand. */
  readonly protectedPresets: readonly Preset[];
  readonly ledger: Ledger;
  /** What a replica runs. */
  presetOf(replica: Replica): Preset;
  /** All that hold capacity, in the order of their starts. */
  observe(): readonly Replica[];
  /** The oldest first. A model with a ready replica has no wish. */
  wishes(): readonly Wish[];
  /** When a request last went to a replica of it; `undefined`: none has. */
  lastBegun(uid: PresetUid): Instant | undefined;
  /** Takes effect at once. Throws if it is against the physics. */
  apply(action: Action): void;
}

export interface Decision {
  /** When to decide again although nothing has changed; `undefined`: never. */
  readonly wakeAt: Instant | undefined;
  /** Whether the end of a replica's last request may change the answer. */
  readonly unsettled: boolean;
}

/** Decides what is loaded, each time something has changed that may matter. */
export interface Policy {
  decide(world: World, now: Instant): Decision;
}
