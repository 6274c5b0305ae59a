import { BROKEN, type Trial } from './trial.ts';

/** Something that happens to the models of a cluster, and that ends in one state, whatever becomes of the operator. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** The spec of its ModelPool. */
  readonly pool: Readonly<Record<string, unknown>>;
  /** How many pods may hold a place in it at once. */
  readonly room: number;
  /** Resolves when what is to come of it has begun to show. It must wait for what it sees, and for nothing of the operator itself. */
  readonly play: (trial: Trial) => Promise<void>;
}

const roomFor = (maxLoaded: number, eviction: object = {}): Scenario['pool'] => ({ capacity: { maxLoaded }, eviction });
const IDLE_SOON = { idleTimeout: '300ms' };

const evict: Scenario = {
  name: 'evict',
  what: 'a model is loaded for a request, and gives its place to another one',
  pool: roomFor(1),
  room: 1,
  play: async (trial) => {
    await trial.declare([{ name: 'a' }, { name: 'b' }]);
    await trial.load('a');
    await trial.load('b');
    await trial.untilGone('a');
  },
};

const fairness: Scenario = {
  name: 'fairness',
  what: 'a busy model has to leave for one that has waited for long',
  pool: roomFor(1, { fairAfter: '200ms' }),
  room: 1,
  play: async (trial) => {
    await trial.declare([{ name: 'a' }, { name: 'b' }]);
    const stream = trial.request('a');
    await trial.untilStarted('a', stream);
    const waiter = trial.request('b');
    await trial.untilClosed('a');
    stream.end();
    await trial.untilStarted('b', waiter);
    waiter.end();
    await trial.untilPhase('b', 'Ready');
    await trial.untilGone('a');
  },
};

const idle: Scenario = {
  name: 'idle',
  what: 'a model that nobody uses goes back to zero',
  pool: roomFor(1),
  room: 1,
  play: async (trial) => {
    await trial.declare([{ name: 'a', scaling: IDLE_SOON }]);
    await trial.ask('a');
    await trial.untilGone('a');
    await trial.untilPhase('a', 'Unloaded');
  },
};

const cancel: Scenario = {
  name: 'cancel',
  what: 'an idle model is wanted again while it drains',
  pool: roomFor(1),
  room: 1,
  play: async (trial) => {
    const { edge } = trial.stage;
    await trial.declare([{ name: 'a', scaling: IDLE_SOON }]);
    edge.holdsAcks = true;
    try {
      await trial.ask('a');
      await trial.untilClosed('a');
      const kept = trial.request('a');
      await trial.untilOpen('a');
      await trial.untilStarted('a', kept);
    } finally {
      edge.holdsAcks = false;
    }
    await trial.untilPhase('a', 'Ready');
  },
};

const replace: Scenario = {
  name: 'replace',
  what: 'a busy model is edited, and there is room for its new pod beside the old one',
  pool: roomFor(2),
  room: 2,
  play: async (trial) => {
    await trial.declare([{ name: 'a' }]);
    const stream = trial.request('a');
    await trial.untilStarted('a', stream);
    await trial.untilPhase('a', 'Ready');
    const [old] = trial.pods('a');
    await trial.edit([{ name: 'a', args: ['--parallel=2'] }]);
    await trial.untilClosed('a');
    stream.end();
    await trial.untilLeft(old);
    await trial.untilReady('a', 1);
    await trial.untilPhase('a', 'Ready');
  },
};

const removal: Scenario = {
  name: 'removal',
  what: 'a ModelDeployment with a loaded model is deleted',
  pool: roomFor(1),
  room: 1,
  play: async (trial) => {
    await trial.declare([{ name: 'a' }]);
    await trial.load('a');
    await trial.remove();
    await trial.untilGone('a');
  },
};

const failure: Scenario = {
  name: 'failure',
  what: 'a load fails, and its model is mended',
  pool: roomFor(1),
  room: 1,
  play: async (trial) => {
    await trial.declare([{ name: 'a', ...BROKEN }]);
    const waiter = trial.request('a');
    await trial.untilPhase('a', 'Failed');
    waiter.end();
    await trial.stage.edge.untilTold();
    await trial.untilGone('a');
    await trial.edit([{ name: 'a' }]);
    await trial.load('a');
  },
};

const orders: Scenario = {
  name: 'orders',
  what: 'a client orders a model to be loaded, then to be unloaded',
  pool: roomFor(1),
  room: 1,
  play: async (trial) => {
    const { edge } = trial.stage;
    await trial.declare([{ name: 'a' }]);
    edge.order('Load', trial.key('a'));
    await trial.untilReady('a', 1);
    await trial.untilPhase('a', 'Ready');
    edge.order('Unload', trial.key('a'));
    await trial.untilGone('a');
    await trial.untilPhase('a', 'Unloaded');
  },
};

const scaling: Scenario = {
  name: 'scaling',
  what: 'a model gets a second replica for its requests',
  pool: roomFor(2),
  room: 2,
  play: async (trial) => {
    await trial.declare([{ name: 'a', scaling: { maxReplicas: 2, targetInFlight: 1 } }]);
    const first = trial.request('a');
    await trial.untilStarted('a', first);
    const second = trial.request('a');
    await trial.untilStarted('a', second);
    await trial.untilReady('a', 2);
    await trial.untilPhase('a', 'Ready');
  },
};

const minimum: Scenario = {
  name: 'minimum',
  what: 'somebody deletes the pod of a model that is always to be loaded',
  pool: roomFor(1),
  room: 1,
  play: async (trial) => {
    await trial.declare([{ name: 'a', scaling: { minReplicas: 1 } }]);
    await trial.untilReady('a', 1);
    const [old] = trial.pods('a');
    await trial.deletePod(old);
    await trial.untilLeft(old);
    await trial.untilReady('a', 1);
    await trial.untilPhase('a', 'Ready');
  },
};

const pause: Scenario = {
  name: 'pause',
  what: 'a pool with a loaded model is paused',
  pool: roomFor(1),
  room: 1,
  play: async (trial) => {
    await trial.declare([{ name: 'a' }]);
    await trial.load('a');
    await trial.editPool({ paused: true });
    await trial.untilGone('a');
  },
};

const startup: Scenario = {
  name: 'startup',
  what: 'a model is loaded since it was declared so, and leaves when nobody uses it',
  pool: roomFor(1),
  room: 1,
  play: async (trial) => {
    await trial.declare([{ name: 'a', scaling: { loadOnStartup: true, ...IDLE_SOON } }]);
    await trial.stage.deployments.until('it has been loaded', () =>
      JSON.stringify(trial.deployment?.['status']).includes('lastLoadedTime') ? true : undefined,
    );
    await trial.untilGone('a');
    await trial.untilPhase('a', 'Unloaded');
  },
};

export const SCENARIOS: readonly Scenario[] = [
  evict,
  fairness,
  idle,
  cancel,
  replace,
  removal,
  failure,
  orders,
  scaling,
  minimum,
  pause,
  startup,
];
