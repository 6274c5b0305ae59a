import type { PresetUid } from '../domain/ids.ts';

/** What a client may order besides asking a model: each only records a wish, the control loop does the work. */
export interface Orders {
  /** Reads the declarations again. Resolves when the new route table is published, or with all that is wrong. */
  reload(): Promise<Reloaded>;
  load(preset: PresetUid): 'ordered' | 'already-running';
  unload(preset: PresetUid): 'ordered' | 'not-running';
}

/** With problems, the declarations from before stay in force. */
export type Reloaded = { readonly ok: true } | { readonly ok: false; readonly problems: readonly string[] };
