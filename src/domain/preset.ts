import type { Pool } from './pool.ts';
import type { ModelName, PoolName, PresetUid } from './ids.ts';
import type { Resources } from './resources.ts';
import type { Duration } from './units.ts';

/** What a backend runs for a preset. Opaque to planner and edge. */
export interface Launch {
  /** llama-server's arguments that name the model and set it up, one argv item each; never host, port, alias or prefix. */
  readonly args: readonly string[];
  /** Environment variables on top of Corral's own. */
  readonly env: ReadonlyMap<string, string>;
  /** From SIGTERM to SIGKILL. */
  readonly stopTimeout: Duration;
}

export interface Scaling {
  /** So many are started without demand, never evicted and never idled out. At most `maxReplicas`. */
  readonly minReplicas: number;
  /** The most that serve at once, at least 1. One more may run while it replaces one of an older spec. */
  readonly maxReplicas: number;
  /** Requests in flight for each replica, above which one more is wanted; at least 1. */
  readonly targetInFlight: number;
  /** From the end of the last request to the end of the process; 0: never. */
  readonly idleTimeout: Duration;
  /** From the process's start to its readiness. */
  readonly loadTimeout: Duration;
  /** False: only an explicit load order starts it. */
  readonly autoload: boolean;
  /** Loaded once when Corral starts, without demand. */
  readonly loadOnStartup: boolean;
}

export interface QueueLimits {
  /** Requests held at once while no replica is ready. */
  readonly maxWaiting: number;
  /** How long one request may be held. */
  readonly maxWait: Duration;
}

/** One more name for a preset's replicas, with request fields of its own. */
export interface Variant {
  readonly name: ModelName;
  /** The fields that it fixes, as a JSON object that is not empty: of fields that come twice, the last one counts. */
  readonly parameters: string;
}

/** A model and how `llama-server` runs it, as declared. */
export interface Preset {
  readonly uid: PresetUid;
  /** The canonical name: what clients use, and the `--alias` of its llama-server. */
  readonly model: ModelName;
  /** More names for the same replica. Unique over all names of all presets. */
  readonly aliases: readonly ModelName[];
  /** Names as the aliases are, that add fields to a request. */
  readonly variants: readonly Variant[];
  /** Informational, shown in the list of models. */
  readonly tags: readonly string[];
  readonly pool: PoolName;
  /** What each of its replicas takes of a bin. */
  readonly footprint: Resources;
  /** The higher goes first where room is scarce, and leaves last. */
  readonly priority: number;
  readonly launch: Launch;
  /** Hash of all that is rendered into a replica: one that runs another is replaced. */
  readonly rendered: string;
  /** Hash of source and model name: a replica that serves another is never sent a request. */
  readonly serves: string;
  readonly scaling: Scaling;
  readonly queue: QueueLimits;
  /** Where it was declared (a file, or the folder it was found in): for `source` in the list and for messages. */
  readonly origin: {
    readonly kind: 'preset' | 'models_dir' | 'manifest';
    readonly file: string;
    /** Of a manifest: namespace and name of its ModelDeployment. */
    readonly object?: string;
    /** Of a section that names no model itself: it speaks of the one that the models folder has under its name. */
    readonly overlays?: 'models_dir';
  };
}

/** Everything that is declared at one moment. Names are unique. A preset may name a pool that is missing: then it is never started. */
export interface Catalog {
  readonly pools: readonly Pool[];
  readonly presets: readonly Preset[];
}
