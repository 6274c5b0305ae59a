import type { PresetUid, ReplicaId } from '../../domain/ids.ts';
import type { Replica } from '../../domain/replica.ts';
import type { Resources } from '../../domain/resources.ts';
import type { Duration, Instant } from '../../domain/units.ts';
import type { LoadFailure, Phase } from '../../routing/route.ts';
import type { ClusterDeployment, ClusterPool } from './decode-objects.ts';
import type { PresetVerdict } from './verdict.ts';

/** What an operator that takes over has to know of a preset's last failure. */
export interface LastFailure {
  readonly code: string;
  /** In a sentence. */
  readonly words: string;
  readonly rendered: string;
  readonly inARow: number;
  /** It is not tried again before `retryAt`, which was so long after the failure. */
  readonly wait: Duration;
  readonly retryAt: Instant;
  /** Pods that are counted in it and are still there. */
  readonly pods: readonly ReplicaId[];
}

/** One declared preset at one moment: what was decided about it, and what it does. */
export interface PresetSituation {
  readonly verdict: PresetVerdict<unknown>;
  readonly phase: Phase;
  /** Its last failure, while it is not tried again: also where another replica of it is still on its way out. */
  readonly failure: LoadFailure | undefined;
  /** Also when it may be tried again; `undefined`: none of its spec as it is now. */
  readonly lastFailure: LastFailure | undefined;
  /** Why it fits into no part of its pool, however empty; `undefined`: it does, or nobody plans for it. */
  readonly tooLarge: string | undefined;
  /** All that exist. Also of a preset that is refused: they are on their way out. */
  readonly replicas: readonly Replica[];
  /** When its last request ended; `undefined`: it is in use, or nobody has told of a use. */
  readonly lastUsed: Instant | undefined;
}

/** One ModelDeployment at one moment. */
export interface DeploymentSituation {
  readonly deployment: ClusterDeployment;
  readonly presets: readonly PresetSituation[];
  readonly isPoolPaused: boolean;
  /** How many edges are alive. */
  readonly edges: number;
}

/** One ModelPool at one moment. */
export interface PoolSituation {
  readonly pool: ClusterPool;
  /** Replicas that hold capacity. */
  readonly loaded: number;
  /** What they take together. */
  readonly used: Resources;
  /** Presets that are wanted and find no room, the next one first. */
  readonly queue: readonly PresetUid[];
  /** Loaded presets that nobody uses, the longest idle first; `undefined`: of one nobody knows whether it is in use. */
  readonly idle: readonly PresetUid[] | undefined;
}

/** Namespace, object and preset, for people; `undefined`: it is not declared any more. */
export type NameOfPreset = (uid: PresetUid) => string | undefined;
