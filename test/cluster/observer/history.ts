/** When something was true, and when it was heard of. */
export interface Heard {
  /** The API server's count of changes (resourceVersion): one order for the objects of all kinds. */
  readonly version: number;
  /** Milliseconds of the observer's own clock. */
  readonly at: number;
}

/** Amounts by the names of resources. */
export type Amounts = ReadonlyMap<string, number>;

/** What of a pod matters to the rules. */
export interface PodFacts {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** The uid of the ModelDeployment that controls it; `undefined`: none does, and it is no model's. */
  readonly owner: string | undefined;
  readonly preset: string;
  readonly pool: string;
  /** `undefined`: it does not say, and may lie in each bin. */
  readonly bin: string | undefined;
  readonly footprint: Amounts;
  readonly rendered: string;
  readonly isReady: boolean;
  readonly isDeleting: boolean;
  /** Its gate is closed: no edge sends it anything, and it ends when its requests have. */
  readonly isLeaving: boolean;
  /** Failed or Succeeded, and no container runs: it takes nothing any more. */
  readonly hasEnded: boolean;
  /** Its llama-server has ended, so that nothing is in flight there, whatever an edge still believes. */
  readonly isServerOver: boolean;
  /** No node takes it, or the kubelet says what it waits for in vain: it has failed, and is about to go. */
  readonly isStuck: boolean;
  /** All of it that Corral may not change once it exists. */
  readonly foreign: string;
}

/** A condition of a status. */
export interface ConditionFacts {
  readonly type: string;
  readonly status: string;
  readonly transition: string;
  readonly generation: number;
}

/** What of the objects with a status of ours matters. */
export interface DeclaredFacts {
  readonly uid: string;
  readonly name: string;
  readonly generation: number;
  /** 0: nothing was observed. */
  readonly observed: number;
  readonly conditions: readonly ConditionFacts[];
  readonly foreign: string;
}

/** How many replicas of a preset there may be, as one layer says it; `undefined`: it does not. */
export interface ReplicaRange {
  readonly least: number | undefined;
  readonly most: number | undefined;
}

export interface PresetFacts {
  readonly name: string;
  /** As its layers but the pool's say it, the weakest first. */
  readonly replicas: readonly ReplicaRange[];
  readonly footprint: Amounts;
}

export interface DeploymentFacts extends DeclaredFacts {
  readonly namespace: string;
  readonly pool: string;
  readonly isDeleting: boolean;
  readonly presets: readonly PresetFacts[];
  /** The presets that are said to be loaded. */
  readonly loaded: readonly string[];
  /** The presets that are said to be without a name of their own. */
  readonly nameless: readonly string[];
}

export interface PoolFacts extends DeclaredFacts {
  /** 0: no limit. */
  readonly maxLoaded: number;
  /** Of its only bin; empty: nothing is counted. */
  readonly resources: Amounts;
  readonly replicas: ReplicaRange;
}

/** What an edge says of one preset. */
export interface ModelFacts {
  readonly key: string;
  readonly inFlight: number;
  readonly started: number;
  readonly finished: number;
}

export interface ReportFacts {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** The uid of its edge's pod. */
  readonly edge: string;
  readonly boot: string;
  readonly models: readonly ModelFacts[];
  /** Requests in flight by the uids of pods. */
  readonly inFlight: Amounts;
}

/** One state of one object; `gone`: its last one. */
export type Seen = Heard & { readonly gone: boolean } & (
    | { readonly kind: 'pod'; readonly object: PodFacts }
    | { readonly kind: 'deployment'; readonly object: DeploymentFacts }
    | { readonly kind: 'pool'; readonly object: PoolFacts }
    | { readonly kind: 'report'; readonly object: ReportFacts }
  );

/** A write that the API server was asked for, from its audit log. */
export interface Call {
  /** When it came and when it was answered, by the API server's clock. */
  readonly received: number;
  readonly answered: number;
  readonly user: string;
  /** The name of the pod whose token it was; `undefined`: no pod's. */
  readonly pod: string | undefined;
  readonly verb: string;
  /** With its subresource: `pods`, `modeldeployments/status`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly isDryRun: boolean;
  readonly code: number;
  /** Of the object as it was answered; `undefined`: not recorded. */
  readonly uid: string | undefined;
  readonly version: number | undefined;
  /** The uid and the version that the writer has named as a condition; `undefined`: none, or not recorded. */
  readonly onlyUid: string | undefined;
  readonly onlyVersion: number | undefined;
  /** Of a deletion; `undefined`: the object's own. */
  readonly graceSeconds: number | undefined;
  /** Of a Lease, as it was answered. */
  readonly holder: string | undefined;
}

/** What the metrics of one edge say at the end, when no client asks any more. */
export interface Books {
  readonly edge: string;
  /** Requests by how they ended, summed. */
  readonly ended: number;
  /** Requests whose duration was taken: once for each that came in. */
  readonly measured: number;
  readonly inFlight: number;
  readonly waiting: number;
}

/** All that was recorded of a cluster. */
export interface History {
  /** In the order of their versions. */
  readonly seen: readonly Seen[];
  /** In the order in which they were answered. */
  readonly calls: readonly Call[];
  readonly books: readonly Books[];
  /** Why something may be missing. */
  readonly gaps: readonly string[];
}

/** Whom the API server knows Corral's parts by. */
export const OPERATOR = 'system:serviceaccount:corral-system:corral-operator';

/**
 * For so long somebody may act on what has just changed: nothing tells a writer of a change in the moment in which it
 * happens. In milliseconds.
 */
export const HEARD_WITHIN = 5000;

/** A rule that was broken. */
export interface Violation {
  readonly rule: string;
  /** The object it is about, and what is wrong. */
  readonly what: string;
  readonly version: number | undefined;
}

/** A rule over all that was recorded. */
export type Rule = (history: History) => readonly Violation[];

/** The calls that have changed something. */
export const isDone = ({ code, isDryRun }: Call): boolean => code >= 200 && code < 300 && !isDryRun;
