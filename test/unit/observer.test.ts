import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge, renderViolation, renderViolations } from '../cluster/observer/judge.ts';
import type { ReplicaRange } from '../cluster/observer/history.ts';
import { quiet } from './support/observed-story.ts';
import type { Story } from './support/observed-story.ts';

const found = (story: Story): readonly string[] => judge(story.history()).map(renderViolation);

/** The rules that a history breaks, by their numbers. */
const broken = (story: Story): readonly string[] => [...new Set(found(story).map((text) => text.slice(0, 2)))];

const MODEL = { key: 'chat-1/a', inFlight: 0, started: 0, finished: 0 };
const condition = { type: 'Ready', status: 'True', transition: '2026-01-01T00:00:10Z', generation: 1 };
const B = { uid: 'pod-b', name: 'b-0', preset: 'b' };
/** Of the model that the pods of `creates` are of. */
const SECOND = { uid: 'pod-2', name: 'a-1' };

const UNSAID: ReplicaRange = { least: undefined, most: undefined };

/** So many replicas may be, as the pool says it, and over it the preset; nobody has heard of anything else. */
const allows = (pool: Partial<ReplicaRange>, preset: Partial<ReplicaRange> = {}): Story =>
  quiet()
    .sees('pool', { maxLoaded: 3, replicas: { ...UNSAID, ...pool } })
    .sees('deployment', {
      presets: [{ name: 'a', replicas: [UNSAID, { ...UNSAID, ...preset }], footprint: new Map() }],
    })
    .pass(6000)
    .claims('op-1_1');

/** A model comes, serves and goes, and another one takes its place. */
const goodDay = (): Story => {
  const story = quiet().creates().sees('pod', { isReady: true });
  story.calls({ resource: 'modeldeployments/status', name: 'chat', onlyUid: 'chat-1', version: story.version + 1 });
  story.sees('deployment', { loaded: ['a'], conditions: [condition] });
  story.sees('report', { models: [{ ...MODEL, inFlight: 1, started: 1 }], inFlight: new Map([['pod-a', 1]]) });
  story
    .calls({ onlyUid: 'pod-a', onlyVersion: story.version - 2, version: story.version + 1 })
    .sees('pod', { isReady: true });
  story.sees('report', { models: [{ ...MODEL, started: 1, finished: 1 }] });
  story.deletes({ isReady: true }).sees('pod', { isDeleting: true }, true);
  return story.claims('op-1_1').creates(B).ends();
};

describe('the observer', () => {
  it('finds nothing in what is right', () => {
    assert.deepEqual(found(goodDay()), []);
  });

  it('finds nothing in a name that a preset does not get, and others of its object are ready', () => {
    const refused = { ...condition, type: 'PresetsAccepted', status: 'False' };
    assert.deepEqual(found(quiet().sees('deployment', { conditions: [condition, refused], nameless: ['b'] })), []);
  });

  it('says what is wrong, of what, and where', () => {
    const [text] = found(quiet().creates().creates(B));
    assert.equal(
      text,
      'S1 capacity is never exceeded: b-0 was created in gpus: it holds a-0, b-0, which are more than 1 (resourceVersion 106)',
    );
  });

  it('tells a fault that comes again and again in few lines', () => {
    const story = quiet();
    for (let count = 0; count < 100; count += 1) story.misses('it again');
    const lines = renderViolations(judge(story.history())).split('\n');
    assert.deepEqual([lines.length, lines.at(-1)], [42, '  and 60 more']);
  });

  for (const [what, rule, story] of [
    ['that it has missed something', 'S0', quiet().misses('the watch was 410')],

    ['a second pod in a pool for one', 'S1', quiet().creates().creates(B)],
    ['a second pod while the first one still ends', 'S1', quiet().creates().deletes().creates(B)],
    [
      'more of a resource than there is',
      'S1',
      quiet()
        .sees('pool', { maxLoaded: 0, resources: new Map([['vram', 16]]) })
        .pass(6000)
        .claims('op-1_1')
        .creates({ footprint: new Map([['vram', 9]]) })
        .creates({ ...B, footprint: new Map([['vram', 9]]) }),
    ],
    ['a pod in a pool that is none', 'S1', quiet().creates({ pool: 'nowhere' })],

    [
      'the end of a pod that an edge has a request at',
      'S2',
      quiet()
        .creates()
        .sees('report', { inFlight: new Map([['pod-a', 1]]) })
        .deletes(),
    ],
    [
      'such an end that is over at once',
      'S2',
      quiet()
        .creates()
        .sees('report', { inFlight: new Map([['pod-a', 1]]) })
        .calls({ verb: 'delete', onlyUid: 'pod-a', onlyVersion: 105, graceSeconds: 1 })
        .sees('pod', {}, true),
    ],

    ['a pod for a uid that never was', 'S3', quiet().creates({ owner: 'chat-0' })],
    [
      'a pod for a uid that was deleted long ago',
      'S3',
      quiet().sees('deployment', {}, true).pass(6000).claims('op-1_1').creates(),
    ],
    [
      'a pod for a former ModelDeployment of the same name',
      'S3',
      quiet().sees('deployment', {}, true).sees('deployment', { uid: 'chat-2' }).pass(6000).claims('op-1_1').creates(),
    ],
    ['a pod for a preset that is not declared', 'S3', quiet().creates({ preset: 'c' })],

    ['two pods for one that is wanted', 'S4', quiet().sees('pool', { maxLoaded: 2 }).creates().creates(SECOND)],
    [
      'a third pod where two are always loaded, and nobody says how many may be',
      'S4',
      allows({ least: 2 }).creates().creates(SECOND).creates({ uid: 'pod-3', name: 'a-2' }),
    ],
    [
      'two pods where a stronger layer says that one may be, and a weaker one has two always loaded',
      'S4',
      allows({ least: 2 }, { most: 1 }).creates().creates(SECOND),
    ],
    [
      'a third pod for one that is wanted, while one leaves',
      'S4',
      quiet()
        .sees('pool', { maxLoaded: 3 })
        .creates()
        .sees('pod', { isLeaving: true })
        .creates({ uid: 'pod-2', name: 'a-1' })
        .creates({ uid: 'pod-3', name: 'a-2' }),
    ],
    [
      'one name that is given by two leaders',
      'S4',
      quiet()
        .sees('pool', { maxLoaded: 2 })
        .creates()
        .claims('op-2_1')
        .calls({ verb: 'create', code: 201, uid: 'pod-2', pod: 'op-2', version: 200 }),
    ],

    ['a write of who does not lead', 'S5', quiet().calls({ pod: 'op-2', resource: 'events', verb: 'create' })],
    ['a write of who has led before', 'S5', quiet().claims('op-2_1').calls({ resource: 'events', verb: 'create' })],
    ['a write that was refused, too', 'S5', quiet().claims('op-2_1').calls({ onlyUid: 'pod-a', code: 409 })],
    ['a write behind the time of a Lease', 'S5', quiet().pass(6100).calls({ resource: 'events', verb: 'create' })],
    ['a write after the Lease was given back', 'S5', quiet().claims('').calls({ resource: 'events', verb: 'create' })],
    ['a write of nobody', 'S5', quiet().calls({ pod: undefined, resource: 'events', verb: 'create' })],

    ['a patch that names no uid', 'S6', quiet().creates().calls({})],
    ['a status for whatever has the name', 'S6', quiet().calls({ resource: 'modeldeployments/status', name: 'chat' })],
    [
      'a status that another object with the name has got',
      'S6',
      quiet().calls({ resource: 'modeldeployments/status', name: 'chat', onlyUid: 'chat-0', uid: 'chat-1' }),
    ],
    ['a deletion of whatever state', 'S6', quiet().creates().deletes({}, { onlyVersion: undefined })],
    [
      'the end of a pod of others',
      'S6',
      quiet().sees('pod', { uid: 'theirs', owner: undefined }).deletes({ uid: 'theirs', owner: undefined }),
    ],

    ['a patch of a pod that has no owner any more', 'S6', loses().calls({ onlyUid: 'pod-a', version: 200 })],
    ['an owner that is given to another one', 'S6', gives('chat-2', loses())],
    [
      'an owner that is given to a pod that never had one',
      'S6',
      gives('chat-1', quiet().sees('pod', { owner: undefined })),
    ],

    ['an observed generation that goes back', 'S7', quiet().sees('deployment', { observed: 0 })],
    [
      'a condition of a former generation',
      'S7',
      quiet()
        .sees('pool', { conditions: [{ ...condition, generation: 2 }] })
        .sees('pool', { conditions: [condition] }),
    ],
    [
      'a time of transition that goes back',
      'S7',
      quiet()
        .sees('pool', { conditions: [condition] })
        .sees('pool', { conditions: [{ ...condition, status: 'False', transition: '2026-01-01T00:00:09Z' }] }),
    ],
    [
      'a transition without one',
      'S7',
      quiet()
        .sees('pool', { conditions: [condition] })
        .sees('pool', { conditions: [{ ...condition, transition: '2026-01-01T00:00:11Z' }] }),
    ],
    [
      'Ready without an edge',
      'S7',
      quiet()
        .sees('report', {}, true)
        .pass(6000)
        .sees('deployment', { conditions: [condition] }),
    ],
    [
      'Ready where no name leads to a preset',
      'S7',
      quiet().sees('deployment', {
        conditions: [condition, { ...condition, type: 'PresetsAccepted' }],
        nameless: ['b'],
      }),
    ],
    [
      'a model that is called loaded and is not',
      'S7',
      quiet()
        .creates()
        .sees('deployment', { loaded: ['a'] }),
    ],
    [
      'a model that is called loaded and was so long ago',
      'S7',
      quiet()
        .creates()
        .sees('pod', { isReady: true })
        .sees('pod', { isReady: false })
        .pass(6000)
        .sees('deployment', { loaded: ['a'] }),
    ],

    ['a write of ours that changes what is not ours', 'S8', foreignWrite({})],
    ['a write of ours that takes an owner away', 'S8', takesOwner(undefined)],
    ['a write of ours that changes an owner', 'S8', takesOwner('chat-2')],
    ['such a write of an edge', 'S8', foreignWrite({ user: 'system:serviceaccount:corral-system:corral-edge' })],

    [
      'a report in which not all that began has ended or is in flight',
      'S9',
      quiet().sees('report', { models: [{ ...MODEL, started: 2, finished: 1 }] }),
    ],
    [
      'totals that go back',
      'S9',
      quiet()
        .sees('report', { models: [{ ...MODEL, started: 2, finished: 2 }] })
        .sees('report', { models: [{ ...MODEL, started: 1, finished: 1 }] }),
    ],
    ['a request that ended twice', 'S9', quiet().ends({ ended: 4 })],
    ['a request that never ends', 'S9', quiet().ends({ inFlight: 1 })],
    ['a request that waits for ever', 'S9', quiet().ends({ waiting: 1 })],
  ] as const) {
    it(`finds ${what}`, () => {
      assert.deepEqual(broken(story), [rule], found(story).join('\n'));
    });
  }

  for (const [what, story] of [
    [
      'a pool that a user makes smaller than what is loaded',
      quiet().sees('pool', { maxLoaded: 2 }).creates().creates(B).sees('pool'),
    ],
    [
      'a pod that was created when the pool has just become smaller',
      quiet().sees('pool', { maxLoaded: 2 }).creates().sees('pool', { maxLoaded: 1 }).creates(B),
    ],
    ['a pod in the place of one that has ended', quiet().creates().sees('pod', { hasEnded: true }).creates(B)],
    [
      'a footprint that was declared smaller',
      quiet()
        .sees('pool', { maxLoaded: 0, resources: new Map([['vram', 16]]) })
        .creates({ footprint: new Map([['vram', 9]]) })
        .sees('deployment', {
          presets: ['a', 'b'].map((name) => ({ name, replicas: [], footprint: new Map([['vram', 4]]) })),
        })
        .creates({ ...B, footprint: new Map([['vram', 9]]) }),
    ],
    ['a dry run', quiet().creates().calls({ verb: 'create', uid: 'pod-2', name: 'a-1', isDryRun: true, code: 201 })],
    [
      'the end of a pod whose server has ended, whatever an edge believes',
      quiet()
        .creates()
        .sees('report', { inFlight: new Map([['pod-a', 1]]) })
        .sees('pod', { isServerOver: true })
        .deletes({ isServerOver: true }),
    ],
    [
      'the end of a pod that only an edge without a pod has requests at',
      quiet()
        .creates()
        .sees('report', { edge: 'edge-pod-2', inFlight: new Map([['pod-a', 1]]) })
        .deletes(),
    ],
    [
      'an end with a grace in which streams end',
      quiet()
        .creates()
        .sees('report', { inFlight: new Map([['pod-a', 1]]) })
        .deletes({}, { graceSeconds: undefined }),
    ],
    [
      'the end of a pod that is another one later',
      quiet().creates().deletes().sees('pod', { owner: undefined, isDeleting: true }),
    ],
    ['a pod for what was deleted this moment', quiet().sees('deployment', {}, true).creates()],
    ['two pods where two may be', allows({ most: 2 }).creates().creates(SECOND)],
    [
      'two pods where two are always loaded, and nobody says how many may be',
      allows({ least: 2 }).creates().creates(SECOND),
    ],
    [
      'two pods where a stronger layer has two always loaded, and a weaker one says that one may be',
      allows({ most: 1 }, { least: 2 }).creates().creates(SECOND),
    ],
    [
      'a pod beside one that no node has taken',
      quiet()
        .sees('pool', { maxLoaded: 2 })
        .creates()
        .sees('pod', { isStuck: true })
        .creates({ uid: 'pod-2', name: 'a-1' }),
    ],
    [
      'a pod beside one that leaves',
      quiet()
        .sees('pool', { maxLoaded: 2 })
        .creates()
        .sees('pod', { isLeaving: true })
        .creates({ uid: 'pod-2', name: 'a-1' }),
    ],
    [
      'a pod that replaces another rendering',
      quiet().sees('pool', { maxLoaded: 2 }).creates().creates({ uid: 'pod-2', name: 'a-1', rendered: 'otherwise' }),
    ],
    ['a leader that goes on after its renewal', quiet().pass(5900).calls({ resource: 'events', verb: 'create' })],
    ['a write of others that changes what is theirs', foreignWrite({ user: 'admin' })],
    ['an owner that is put back', gives('chat-1', loses())],
    ['a write that changes nothing', foreignWrite({ onlyVersion: 106 })],
    [
      'a status that somebody else has written',
      quiet()
        .calls({ user: 'admin', resource: 'modeldeployments/status', version: 105 })
        .sees('deployment', { observed: 0, loaded: ['a'] }),
    ],
    [
      'totals of a new life',
      quiet()
        .sees('report', { models: [{ ...MODEL, started: 2, finished: 2 }] })
        .sees('report', { boot: 'second', models: [{ ...MODEL, started: 1, finished: 1 }] }),
    ],
    [
      'a model that is called loaded just when it is not any more',
      quiet()
        .creates()
        .sees('pod', { isReady: true })
        .pass(60_000)
        .sees('pod', { isReady: false })
        .sees('deployment', { loaded: ['a'] }),
    ],
  ] as const) {
    it(`has nothing against ${what}`, () => {
      assert.deepEqual(found(story), []);
    });
  }
});

/** Somebody writes a pod, and what is foreign to Corral changes. */
function foreignWrite(call: object): Story {
  const story = quiet().creates();
  return story
    .calls({ onlyUid: 'pod-a', onlyVersion: story.version, version: story.version + 1, ...call })
    .sees('pod', { foreign: 'otherwise' });
}

/** Somebody takes the owner of a pod away. */
function loses(): Story {
  return quiet().creates().sees('pod', { owner: undefined });
}

/** A pod has no owner, or none any more, and the operator gives it one. */
function gives(owner: string, story: Story): Story {
  return story
    .calls({ onlyUid: 'pod-a', onlyVersion: story.version, version: story.version + 1 })
    .sees('pod', { owner });
}

/** The operator writes a pod that has an owner, and it has this one afterwards. */
function takesOwner(owner: string | undefined): Story {
  const story = quiet().creates();
  return story
    .calls({ onlyUid: 'pod-a', onlyVersion: story.version, version: story.version + 1 })
    .sees('pod', { owner });
}
