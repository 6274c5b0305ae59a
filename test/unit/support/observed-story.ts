import { OPERATOR } from '../../cluster/observer/history.ts';
import type {
  Books,
  Call,
  DeploymentFacts,
  History,
  PodFacts,
  PoolFacts,
  ReportFacts,
  Seen,
} from '../../cluster/observer/history.ts';

const declared = { generation: 1, observed: 1, conditions: [], foreign: 'as it was' };

const POOL: PoolFacts = {
  ...declared,
  ...{ uid: 'pool', name: 'gpus', maxLoaded: 1, resources: new Map(), replicas: { least: undefined, most: undefined } },
};
const DEPLOYMENT: DeploymentFacts = {
  ...declared,
  ...{ uid: 'chat-1', name: 'chat', namespace: 'ml', pool: 'gpus', isDeleting: false },
  presets: ['a', 'b'].map((name) => ({ name, replicas: [], footprint: new Map() })),
  ...{ loaded: [], nameless: [] },
};
const POD: PodFacts = {
  ...{ uid: 'pod-a', name: 'a-0', namespace: 'ml', owner: 'chat-1', preset: 'a', pool: 'gpus', bin: 'pool' },
  ...{ footprint: new Map(), rendered: 'so', isReady: false, isDeleting: false, isLeaving: false, hasEnded: false },
  ...{ isServerOver: false, isStuck: false, foreign: 'as it was' },
};
const REPORT: ReportFacts = {
  ...{ uid: 'report', name: 'edge-1', namespace: 'corral-system', edge: 'edge-pod', boot: 'first' },
  ...{ models: [], inFlight: new Map() },
};
const CALL: Omit<Call, 'received' | 'answered'> = {
  ...{ user: OPERATOR, pod: 'op-1', verb: 'patch', resource: 'pods', namespace: 'ml', name: 'a-0', isDryRun: false },
  ...{ code: 200, uid: undefined, version: undefined, onlyUid: undefined, onlyVersion: undefined },
  ...{ graceSeconds: undefined, holder: undefined },
};

type Facts = {
  readonly [Kind in Seen['kind']]: Extract<Seen, { readonly kind: Kind }>['object'];
};
type When = Pick<Seen, 'version' | 'at' | 'gone'>;
const STATES: { readonly [Kind in keyof Facts]: (facts: Partial<Facts[Kind]>, when: When) => Seen } = {
  pod: (facts, when) => ({ ...when, kind: 'pod', object: { ...POD, ...facts } }),
  deployment: (facts, when) => ({ ...when, kind: 'deployment', object: { ...DEPLOYMENT, ...facts } }),
  pool: (facts, when) => ({ ...when, kind: 'pool', object: { ...POOL, ...facts } }),
  report: (facts, when) => ({ ...when, kind: 'report', object: { ...REPORT, ...facts } }),
};

/** Writes a history as it could have been recorded: each line is one version later, and 10 ms. */
export class Story {
  readonly #seen: Seen[] = [];
  readonly #calls: Call[] = [];
  readonly #books: Books[] = [];
  readonly #gaps: string[] = [];
  #version = 100;
  #at = 0;

  /** Of the change that was told last. */
  get version(): number {
    return this.#version;
  }

  pass(ms: number): this {
    this.#at += ms;
    return this;
  }

  sees<Kind extends keyof Facts>(kind: Kind, facts: Partial<Facts[Kind]> = {}, gone = false): this {
    this.pass(10);
    this.#version += 1;
    this.#seen.push(STATES[kind](facts, { gone, version: this.#version, at: this.#at }));
    return this;
  }

  calls(call: Partial<Call>): this {
    this.pass(10);
    this.#calls.push({ ...CALL, received: this.#at, answered: this.#at, ...call });
    return this;
  }

  /** A replica takes the Lease, renews it, or (`''`) gives it back. */
  claims(holder: string): this {
    return this.calls({ verb: 'update', resource: 'leases', name: 'corral-operator', holder });
  }

  /** The operator creates a pod. */
  creates(facts: Partial<PodFacts> = {}): this {
    const { uid, name } = { ...POD, ...facts };
    this.calls({ verb: 'create', code: 201, uid, name, version: this.#version + 1 });
    return this.sees('pod', facts);
  }

  /** The operator deletes a pod. */
  deletes(facts: Partial<PodFacts> = {}, call: Partial<Call> = {}): this {
    const { uid, name } = { ...POD, ...facts };
    this.calls({ verb: 'delete', name, uid, onlyUid: uid, onlyVersion: this.#version, graceSeconds: 1, ...call });
    return this.sees('pod', { ...facts, isDeleting: true });
  }

  ends(books: Partial<Books> = {}): this {
    this.#books.push({ edge: 'edge-1', ended: 3, measured: 3, inFlight: 0, waiting: 0, ...books });
    return this;
  }

  misses(why: string): this {
    this.#gaps.push(why);
    return this;
  }

  history(): History {
    return { seen: this.#seen, calls: this.#calls, books: this.#books, gaps: this.#gaps };
  }
}

/** An operator leads, an edge serves, and two models are declared in a pool for one. */
export const quiet = (): Story =>
  new Story()
    .claims('op-1_1')
    .sees('pod', { uid: 'edge-pod', name: 'edge-1', owner: undefined, isReady: true })
    .sees('report')
    .sees('pool')
    .sees('deployment');
