import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import type { Duration } from '../domain/units.ts';

/**
 * What a client may order besides asking a model: each only records a wish, the control loop does the work. `waits`: for how
 * long whoever has ordered waits for it to be done; 0: not at all.
 */
export interface Orders {
  /** Reads the declarations again. Resolves when the new route table is published, with all that is wrong, or when we end. */
  reload(): Promise<Reloaded>;
  load(preset: PresetUid, waits: Duration): Ordered;
  unload(preset: PresetUid, waits: Duration): Ordered;
  /** The replicas of a preset that hold capacity now, in whatever state. */
  replicasOf(preset: PresetUid): readonly ReplicaId[];
}

/** `needless`: to load what runs, to unload what does not. `too-many`: so many are open that one more could not be passed on. */
export type Ordered = 'ordered' | 'needless' | 'too-many';

/** With problems, the declarations from before stay in force. `ended`: so they do, since we shut down. */
export type Reloaded = 'ended' | { readonly ok: true } | { readonly ok: false; readonly problems: readonly string[] };
