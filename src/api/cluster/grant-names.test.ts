import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { modelName, type ModelName } from '../../domain/ids.ts';
import { grantAgain, grantNames, NOTHING_GRANTED, type NameClaim, type NameHolders } from './grant-names.ts';

const claim = (object: string, createdAt: string, declares: string[], holds: string[] = []): NameClaim => ({
  uid: `${object}-uid`,
  object,
  createdAt,
  declares: declares.map(modelName),
  holds: holds.map(modelName),
  isSettled: true,
});

const NOTHING: NameHolders = new Map();
const OLD = '2026-01-01T00:00:00Z';
const NEW = '2026-01-02T00:00:00Z';
const holder = (claims: NameClaim[], before = NOTHING): string | undefined =>
  grantNames(claims, before).get(modelName('x'));

test('of newcomers the oldest gets a name, and of two of the same second the first by namespace and name', () => {
  assert.equal(holder([claim('a/a', NEW, ['x']), claim('b/b', OLD, ['x'])]), 'b/b-uid');
  assert.equal(holder([claim('b/a', OLD, ['x']), claim('a/b', OLD, ['x'])]), 'a/b-uid');
});

test('a name stays with whose status has it, and with who got it a moment ago, also against an older object', () => {
  assert.equal(holder([claim('a/a', NEW, ['x'], ['x']), claim('b/b', OLD, ['x'])]), 'a/a-uid');
  const before = new Map([[modelName('x'), 'a/a-uid']]);
  assert.equal(holder([claim('a/a', NEW, ['x']), claim('b/b', OLD, ['x'])], before), 'a/a-uid');
});

test('a name that its holder gave up is granted anew only after its status cannot grant it any more', () => {
  const before = new Map([[modelName('x'), 'a/a-uid']]);
  const other = claim('b/b', OLD, ['x']);
  assert.equal(holder([claim('a/a', OLD, [], ['x']), other], before), 'a/a-uid', 'the status has it');
  assert.equal(holder([claim('a/a', OLD, [], ['x']), other]), 'a/a-uid', 'also after a restart');
  assert.equal(
    holder([{ ...claim('a/a', OLD, []), isSettled: false }, other], before),
    'a/a-uid',
    'a write may be on its way',
  );
  assert.equal(
    holder([{ ...claim('a/a', OLD, []), isSettled: false }], before),
    'a/a-uid',
    'also while nobody wants it',
  );
  assert.equal(holder([claim('a/a', OLD, [], []), other], before), 'b/b-uid');
});

test('a name whose holder is gone is free at once, and a name that nobody declares belongs to nobody', () => {
  const before = new Map([[modelName('x'), 'gone-uid']]);
  assert.equal(holder([claim('b/b', OLD, ['x'])], before), 'b/b-uid');
  assert.deepEqual(grantNames([claim('a/a', OLD, [], [])], before), new Map());
});

interface Living {
  readonly createdAt: string;
  declares: ModelName[];
  generation: number;
  /** As it is written. */
  status: { names: ModelName[]; generation: number };
  /** What the operator has read of it. */
  seen: { names: ModelName[]; generation: number };
  /** A write that is on its way. */
  flying: { names: ModelName[]; generation: number } | undefined;
}

interface Step {
  readonly kind: 'declare' | 'delete' | 'send' | 'land' | 'read' | 'restart';
  readonly object: string;
  readonly names: ModelName[];
  readonly age: number;
}

/** A cluster of at most five ModelDeployments over three names; statuses are sent, land and are read in their own time. */
class World {
  readonly living = new Map<string, Living>();
  memory: NameHolders = NOTHING;
  #lives = 0;

  apply(step: Step): void {
    const uid = [...this.living.keys()].find((one) => one.startsWith(step.object));
    const object = uid === undefined ? undefined : this.living.get(uid);
    if (step.kind === 'restart') this.#restart();
    else if (uid === undefined || object === undefined) this.#create(step);
    else if (step.kind === 'delete') this.living.delete(uid);
    else this.#change(step, uid, object);
    this.memory = grantNames(this.claims(), this.memory);
  }

  /** Who an edge would send requests for a name to: declared, and granted by the status as it is written. */
  routed(name: ModelName): string[] {
    return [...this.living]
      .filter(([, { declares, status }]) => declares.includes(name) && status.names.includes(name))
      .map(([uid]) => uid);
  }

  #create({ kind, object, names, age }: Step): void {
    if (kind !== 'declare') return;
    this.#lives += 1;
    const none = { names: [], generation: 0 };
    const createdAt = `2026-01-0${age}T00:00:00Z`;
    const born = { createdAt, declares: names, generation: 1, status: none, seen: none, flying: undefined };
    this.living.set(`${object}#${this.#lives}`, born);
  }

  #change({ kind, names }: Step, uid: string, object: Living): void {
    if (kind === 'declare') {
      object.declares = names;
      object.generation += 1;
    } else if (kind === 'send' && object.flying === undefined) {
      const own = object.declares.filter((name) => this.memory.get(name) === uid);
      object.flying = { names: own, generation: object.generation };
    } else if (kind === 'land' && object.flying !== undefined) {
      object.status = object.flying;
      object.flying = undefined;
    } else if (kind === 'read') object.seen = object.status;
  }

  /** What the last process has sent has landed or never will, and everything is read anew. */
  #restart(): void {
    this.memory = NOTHING;
    for (const object of this.living.values()) {
      object.flying = undefined;
      object.seen = object.status;
    }
  }

  claims(): NameClaim[] {
    return [...this.living].map(([uid, { createdAt, declares, generation, seen }]) => ({
      uid,
      object: uid,
      createdAt,
      declares,
      holds: seen.names,
      isSettled: seen.generation === generation,
    }));
  }
}

const ALL = ['x', 'y', 'z'].map(modelName);
const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom('declare', 'declare', 'send', 'send', 'land', 'land', 'read', 'read', 'delete', 'restart'),
    object: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    names: fc.subarray(ALL),
    age: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 60 },
);

test('whatever happens in whatever order, a routed name never moves while its holder declares it, and never has two holders', () => {
  fc.assert(
    fc.property(steps, (script) => {
      const world = new World();
      for (const step of script) {
        const before = new Map(ALL.map((name) => [name, world.routed(name)]));
        world.apply(step);
        for (const [name, routed] of before) {
          assert.ok(world.routed(name).length <= 1, `${name} is routed to ${world.routed(name).join(' and ')}`);
          const stays = routed.filter((uid) => world.living.get(uid)?.declares.includes(name) === true);
          for (const uid of stays) assert.equal(world.memory.get(name), uid, `${name} was taken from ${uid}`);
        }
      }
    }),
    { numRuns: 3000 },
  );
});

test('granting again what was granted says the same as granting anew, and is the very same value while no claim changes', () => {
  fc.assert(
    fc.property(steps, (script) => {
      const world = new World();
      let grants = NOTHING_GRANTED;
      for (const step of script) {
        if (step.kind === 'restart') grants = NOTHING_GRANTED;
        world.apply(step);
        grants = grantAgain(world.claims(), grants);
        assert.deepEqual(grants.holders, world.memory);
        assert.equal(grantAgain(world.claims(), grants), grants);
      }
    }),
    { numRuns: 1000 },
  );
});

test('a claim that says anything else is heard', () => {
  const claims = [claim('a/a', OLD, ['x'], ['x']), claim('b/b', NEW, ['x'])];
  const grants = grantAgain(claims, NOTHING_GRANTED);
  const [a, b] = claims as [NameClaim, NameClaim];
  const others: readonly NameClaim[][] = [
    [a],
    [b, a],
    [{ ...a, uid: 'another' }, b],
    [{ ...a, createdAt: NEW }, b],
    [{ ...a, object: 'c/c' }, b],
    [{ ...a, isSettled: !a.isSettled }, b],
    [{ ...a, declares: [] }, b],
    [{ ...a, holds: [] }, b],
  ];
  for (const other of others) assert.notEqual(grantAgain(other, grants), grants, JSON.stringify(other));
});
