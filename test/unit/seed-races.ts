import assert from 'node:assert/strict';
import type fc from 'fast-check';
import type { Preset } from '../../src/domain/preset.ts';
import type { FakeClient } from '../../src/testing/fake-client.ts';
import { FakeCorral } from '../../src/testing/fake-corral.ts';
import { aPool, aPreset } from '../../src/testing/worlds.ts';

/**
 * The two bugs of llama.cpp's router that Corral began with, as interleavings: `mapping[name]` inserted an empty model
 * while a waiter looked its victim up, and again when a load had waited for a reload, so that a server was started with
 * empty arguments. In each the steps below come in every order that their dependencies allow.
 */
export interface SeedRace {
  /** What meets what. */
  readonly title: string;
  /** What Corral owes to everybody in it. */
  readonly promise: string;
  /** One interleaving, in the order that the scheduler chooses. Rejects if it breaks the promise. */
  readonly play: (s: fc.Scheduler) => Promise<void>;
}

type Steps = ReadonlyMap<string, () => void>;

const a = aPreset('a');
const b = aPreset('b');
const pool = aPool({ maxLoaded: 1 });

/** A Corral with room for one, in which A is loaded. */
async function withA(): Promise<FakeCorral> {
  const corral = new FakeCorral();
  declare(corral, [a, b]);
  corral.control.orderLoad(a.uid);
  corral.backend.makeReady(only(corral));
  await corral.settle();
  return corral;
}

function declare({ control }: FakeCorral, presets: readonly Preset[]): void {
  control.setCatalog({ pools: [pool], presets });
}

const only = ({ backend }: FakeCorral): ReturnType<FakeCorral['backend']['observe']>[number]['id'] => {
  const [replica] = backend.observe();
  assert.ok(replica !== undefined, 'a replica exists');
  return replica.id;
};

/** Lets one thing happen to each process that something can happen to. */
function step({ backend }: FakeCorral): void {
  for (const { id, state } of backend.observe()) {
    if (state.kind === 'starting') backend.makeReady(id);
    else if (state.kind === 'stopping') backend.makeGone(id);
  }
}

/** As many turns for the processes, to come at any moment. */
const turns = (corral: FakeCorral, count: number): [string, () => void][] =>
  Array.from({ length: count }, (_, index) => [
    `a process goes on (${index + 1})`,
    () => {
      step(corral);
    },
  ]);

/** Somebody else who asks, gives up, or has waited so long that fairness makes the busy model drain: at any moment, too. */
const bystanders = (corral: FakeCorral, asked: FakeClient[]): [string, () => void][] => [
  ['somebody asks for A', () => asked.push(corral.request(a.model))],
  ['another asks for B', () => asked.push(corral.request(b.model))],
  [
    'whoever came last and waits gives up',
    () => {
      const last = asked.at(-1);
      if (last?.state.kind === 'held') last.leave();
    },
  ],
  ['fairAfter passes', () => void corral.pass(pool.fairAfter)],
];

/** Runs the steps in an order that fast-check chooses, the control loop's turns between them, then lets all processes go on. */
async function interleave(s: fc.Scheduler, corral: FakeCorral, steps: Steps): Promise<void> {
  const played = [...steps].map(async ([label, act]) => {
    await s.schedule(Promise.resolve(), label);
    act();
    await corral.settle();
  });
  // Together: a step that fails in the middle fails the interleaving, and nothing else.
  await Promise.all([s.waitIdle(), ...played]);
  for (let rounds = 0; rounds < 10; rounds += 1) {
    step(corral);
    await corral.settle();
  }
}

/** What holds after every interleaving: nothing was started from nothing, nothing of A is left, nobody is forgotten. */
function assertNothingAppeared(corral: FakeCorral, clients: readonly FakeClient[]): void {
  assert.ok(
    corral.backend.started.every((preset) => preset.launch.args.length > 0),
    'a server had arguments',
  );
  assert.ok(corral.backend.peak <= 1, 'one at a time');
  assert.ok(
    clients.every(({ state }) => state.kind === 'answered' || state.kind === 'streaming'),
    'everybody has an answer',
  );
}

function assertForgotten(corral: FakeCorral, preset: Preset): void {
  assert.equal(corral.ledger.find(preset.uid), undefined);
  assert.equal(corral.board.read().find(preset.model), undefined);
  assert.ok(!corral.backend.observe().some((replica) => replica.preset === preset.uid), 'no process is left of it');
}

async function victimIsRemoved(s: fc.Scheduler): Promise<void> {
  const corral = await withA();
  const stream = corral.request(a.model);
  assert.equal(stream.state.kind, 'streaming');
  const forB = corral.request(b.model);
  const others: FakeClient[] = [];
  const steps = new Map<string, () => void>([
    ['reload without A', declare.bind(undefined, corral, [b])],
    ["A's stream ends", stream.finish.bind(stream)],
    ...turns(corral, 3),
    ...bystanders(corral, others),
  ]);
  await interleave(s, corral, steps);
  assert.deepEqual(stream.state, { kind: 'answered', how: 'served' });
  for (const client of others) client.finish();
  await interleave(s, corral, new Map());
  assert.equal(forB.state.kind, 'streaming');
  forB.finish();
  await interleave(s, corral, new Map());
  assertNothingAppeared(corral, [forB, ...others]);
  assertForgotten(corral, a);
  const { history } = corral.backend;
  assert.ok(history.indexOf('gone a') < history.indexOf('start b'), 'A is gone before B starts');
}

const startsOf = ({ backend }: FakeCorral, preset: Preset): number =>
  backend.history.filter((entry) => entry === `start ${preset.model}`).length;

async function wantedIsRemoved(s: fc.Scheduler): Promise<void> {
  const corral = await withA();
  const stream = corral.request(a.model);
  const forB = corral.request(b.model);
  assert.equal(forB.state.kind, 'held');
  const others: FakeClient[] = [];
  let startedBefore = 0;
  const steps = new Map<string, () => void>([
    [
      'reload without B',
      () => {
        startedBefore = startsOf(corral, b);
        const served = forB.state.kind === 'streaming';
        declare(corral, [a]);
        if (!served) assert.deepEqual(forB.state, { kind: 'answered', how: 'not-found' }, 'told at once');
      },
    ],
    ["A's stream ends", stream.finish.bind(stream)],
    ...turns(corral, 3),
    ...bystanders(corral, others),
  ]);
  await interleave(s, corral, steps);
  assert.deepEqual(stream.state, { kind: 'answered', how: 'served' });
  for (const client of [forB, ...others]) client.finish();
  await interleave(s, corral, new Map());
  assertNothingAppeared(corral, [forB, ...others]);
  assert.equal(startsOf(corral, b), startedBefore, 'nothing was started for B once it was gone');
  assertForgotten(corral, b);
}

/** Seed race 1. */
export const victimRemoved: SeedRace = {
  title: 'seed race 1: B waits for A to be unloaded, and a reload removes A meanwhile',
  promise: "ends A's stream well, serves B, and makes no entry for A",
  play: victimIsRemoved,
};

/** Seed race 2. */
export const wantedRemoved: SeedRace = {
  title: 'seed race 2: a request waits for B, and a reload removes B meanwhile',
  promise: 'answers 404, and starts no process for B afterwards',
  play: wantedIsRemoved,
};

export const seedRaces: readonly SeedRace[] = [victimRemoved, wantedRemoved];
