import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { milliseconds, minutes, seconds } from '../domain/units.ts';
import type { FakeFault } from '../testing/fake-api-faults.ts';
import { aPod, keptLog, PODS, startKube, type KubeBed } from '../testing/kube-testbed.ts';
import { EagerTimers, ManualTimers } from '../testing/manual-timers.ts';
import type { KubeObject } from './kube-object.ts';
import { Reflector } from './reflector.ts';
import type { Timers } from './timers.ts';

interface ReflectorBed extends KubeBed {
  readonly reflector: Reflector;
  readonly timers: Timers;
  readonly log: ReturnType<typeof keptLog>;
  /** How often a change was told. */
  readonly told: () => number;
  /** Resolves as soon as it is true; looked at after each change that is told. */
  shows(isTrue: (objects: readonly KubeObject[]) => boolean): Promise<void>;
  /** Calls of this verb so far. */
  calls(verb: string): number;
}

interface ReflectorOptions {
  readonly timers?: Timers;
  readonly labelSelector?: string;
  readonly onChange?: () => void;
}

/** A reflector of pods, not started. With eager timers pauses are over at once, and nothing is ever silent for too long. */
async function aReflector(t: TestContext, options: ReflectorOptions = {}): Promise<ReflectorBed> {
  const { timers = new EagerTimers(seconds(30)), labelSelector, onChange = () => undefined } = options;
  const { server, api } = await startKube(t, { timers });
  const log = keptLog();
  const waiting = new Set<{ isTrue: (objects: readonly KubeObject[]) => boolean; resolve: () => void }>();
  let told = 0;
  const look = (): void => {
    for (const waiter of waiting) if (waiter.isTrue(reflector.objects())) waiter.resolve();
  };
  const reflector = new Reflector({
    api,
    resource: PODS,
    scope: labelSelector === undefined ? {} : { labelSelector },
    log,
    timers,
    onChange: () => {
      told += 1;
      look();
      onChange();
    },
  });
  t.after(async () => reflector.stop());
  return {
    server,
    api,
    timers,
    reflector,
    log,
    told: () => told,
    shows: async (isTrue) => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      waiting.add({ isTrue, resolve: () => { resolve(undefined); } }); // prettier-ignore
      look();
      await promise;
    },
    calls: (verb) => server.requests.filter((request) => request.verb === verb).length,
  };
}

const names = (objects: readonly KubeObject[]): string =>
  objects
    .map(({ metadata }) => metadata.name)
    .toSorted()
    .join(' ');

const shown = (wanted: string) => (objects: readonly KubeObject[]) => names(objects) === wanted;

async function synced(bed: ReflectorBed): Promise<void> {
  assert.equal(await bed.reflector.start(), 'synced');
  await bed.server.until(() => bed.server.watching('pods') === 1);
  // The server may know of a watch before the client does, whose limit for an answer is then still running.
  if (bed.timers instanceof ManualTimers) await bed.timers.disarmed(seconds(10));
}

test('after start everything is there, and then every change', async (t) => {
  const bed = await aReflector(t);
  const a = bed.server.put(PODS, aPod('a'));
  assert.ok(!bed.reflector.synced);
  await synced(bed);
  assert.ok(bed.reflector.synced);
  assert.deepEqual(
    bed.reflector.objects().map(({ metadata }) => metadata),
    [a.metadata],
  );
  bed.server.put(PODS, aPod('b'));
  await bed.shows(shown('a b'));
  const changed = bed.server.edit(PODS, { namespace: 'ml', name: 'a' }, (pod) => ({
    ...pod,
    status: { phase: 'Running' },
  }));
  bed.server.put(PODS, aPod('c'));
  await bed.shows(shown('a b c'));
  assert.deepEqual(bed.reflector.find(a.metadata.uid), changed);
  bed.server.finishDeletion(a.metadata.uid);
  await bed.shows(shown('b c'));
  assert.equal(bed.reflector.find(a.metadata.uid), undefined);
  assert.deepEqual([bed.calls('list'), bed.calls('watch')], [1, 1]);
});

test('how an object ended is there for a call, also if the watch says in the same breath that it is gone', async (t) => {
  const seen: unknown[] = [];
  const bed: ReflectorBed = await aReflector(t, {
    onChange: () => seen.push(...bed.reflector.objects().map((pod) => pod['status'])),
  });
  const { uid } = bed.server.put(PODS, aPod('a')).metadata;
  await synced(bed);
  bed.server.edit(PODS, { namespace: 'ml', name: 'a' }, (pod) => ({ ...pod, status: { phase: 'Failed' } }));
  bed.server.finishDeletion(uid);
  await bed.shows(shown(''));
  assert.deepEqual(seen.at(-1), { phase: 'Failed' });
});

test('it watches from its list, asks for bookmarks, and has the server end the watch after 4 to 8 minutes', async (t) => {
  const bed = await aReflector(t, { labelSelector: 'app=x' });
  bed.server.put(PODS, aPod('a', { app: 'x' }));
  const { resourceVersion } = bed.server.put(PODS, aPod('other')).metadata;
  await synced(bed);
  assert.equal(names(bed.reflector.objects()), 'a');
  const query = Object.fromEntries(bed.server.requests.at(-1)?.query ?? []);
  assert.deepEqual(query, {
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion,
    timeoutSeconds: '360',
    labelSelector: 'app=x',
  });
});

test('an object that loses its label goes, and comes back with it', async (t) => {
  const bed = await aReflector(t, { labelSelector: 'app=x' });
  bed.server.put(PODS, aPod('a', { app: 'x' }));
  await synced(bed);
  bed.server.put(PODS, aPod('a', { app: 'y' }));
  await bed.shows(shown(''));
  bed.server.put(PODS, aPod('a', { app: 'x' }));
  await bed.shows(shown('a'));
});

const status = (code: number, reason = 'Broken') => ({ kind: 'Status', code, reason, message: 'made to fail' });
const errorEvent = (code: number): string => `${JSON.stringify({ type: 'ERROR', object: status(code) })}\n`;

/** What can happen to a watch that goes on from where it was, as the API server or what is between does it. */
const RESUMES: readonly (readonly [string, (bed: ReflectorBed) => void])[] = [
  ['the server ends it', ({ server }) => { server.breakWatches('pods', 'fin'); }],
  ['the connection is reset', ({ server }) => { server.breakWatches('pods', 'reset'); }],
  ['half a line comes and then the end', ({ server }) => {
    server.writeToWatches('pods', '{"type":"ADDED","object":{"metada');
    server.breakWatches('pods', 'fin');
  }],
  ['half a line comes and then a reset', ({ server }) => {
    server.writeToWatches('pods', '{"type":"ADDED","object":{"metada');
    server.breakWatches('pods', 'reset');
  }],
  ['a line is not JSON', ({ server }) => { server.writeToWatches('pods', 'oops\n'); }],
  ['an ERROR event says 500', ({ server }) => { server.writeToWatches('pods', errorEvent(500)); }],
]; // prettier-ignore

for (const [what, happen] of RESUMES) {
  test(`a watch goes on from where it was, without a list, when ${what}`, async (t) => {
    const bed = await aReflector(t);
    await synced(bed);
    const a = bed.server.put(PODS, aPod('a'));
    await bed.shows(shown('a'));
    happen(bed);
    // While nothing listens: one goes, its successor comes under the same name, another is new.
    bed.server.finishDeletion(a.metadata.uid);
    const successor = bed.server.put(PODS, aPod('a'));
    bed.server.put(PODS, aPod('b'));
    await bed.shows(shown('a b'));
    assert.notEqual(bed.reflector.find(successor.metadata.uid), undefined);
    assert.equal(bed.reflector.find(a.metadata.uid), undefined);
    assert.deepEqual([bed.calls('list'), bed.calls('watch')], [1, 2]);
    assert.equal(bed.server.requests.at(-1)?.query.get('resourceVersion'), a.metadata.resourceVersion);
  });
}

test('a watch that has told something begins its back-off anew', async (t) => {
  const timers = new EagerTimers(seconds(30));
  const bed = await aReflector(t, { timers });
  bed.server.fail({ verb: 'watch' }, { kind: 'reset' }, 2);
  await synced(bed);
  bed.server.put(PODS, aPod('a'));
  await bed.shows(shown('a'));
  bed.server.breakWatches('pods', 'reset');
  bed.server.put(PODS, aPod('b'));
  await bed.shows(shown('a b'));
  assert.deepEqual(timers.delays, [250, 500, 250]);
});

/** What the server may answer in place of a watch, and then the reflector goes on from where it was. */
const REFUSALS: readonly FakeFault[] = [
  { kind: 'status', status: 429, reason: 'TooManyRequests', retryAfter: 7 },
  { kind: 'status', status: 503, reason: 'ServiceUnavailable' },
  { kind: 'status', status: 403, reason: 'Forbidden' },
  { kind: 'reset' },
  { kind: 'bytes', bytes: '<html>', end: 'fin' },
];

for (const fault of REFUSALS) {
  test(`a watch that cannot be opened is tried again after growing pauses (${JSON.stringify(fault)})`, async (t) => {
    const timers = new EagerTimers(seconds(30));
    const bed = await aReflector(t, { timers });
    bed.server.fail({ verb: 'watch' }, fault, 8);
    bed.server.put(PODS, aPod('a'));
    await synced(bed);
    bed.server.put(PODS, aPod('b'));
    await bed.shows(shown('a b'));
    assert.deepEqual([bed.calls('list'), bed.calls('watch')], [1, 9]);
    const least = 'retryAfter' in fault ? 7000 : 0;
    const delays = [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000].map((delay) => Math.max(delay, least));
    assert.deepEqual(timers.delays, delays);
  });
}

test('what has failed is tried again at once when somebody has got an answer, but not before the time that the server gave', async (t) => {
  const timers = new ManualTimers();
  const bed = await aReflector(t, { timers });
  bed.server.fail({ verb: 'list' }, { kind: 'reset' }, 1);
  bed.server.fail({ verb: 'list' }, { kind: 'status', status: 429, retryAfter: 7 }, 1);
  const starting = bed.reflector.start();
  await timers.armed(milliseconds(250));
  bed.reflector.retryNow();
  await timers.armed(seconds(7));
  assert.equal(bed.calls('list'), 2);
  bed.reflector.retryNow();
  assert.ok(timers.delays.includes(7000));
  timers.advance(seconds(7));
  assert.equal(await starting, 'synced');
});

test('a first list that fails is tried again until it succeeds', async (t) => {
  const bed = await aReflector(t);
  bed.server.fail({ verb: 'list' }, { kind: 'status', status: 500 }, 3);
  bed.server.put(PODS, aPod('a'));
  await synced(bed);
  assert.equal(names(bed.reflector.objects()), 'a');
  assert.equal(bed.calls('list'), 4);
  assert.match(bed.log.lines.join('\n'), /^warn objects could not be followed.*GET \/api\/v1\/pods: 500 made to fail/);
});

test('history that is gone has everything listed again, and who came under an old name is somebody else', async (t) => {
  const bed = await aReflector(t);
  const old = bed.server.put(PODS, aPod('a'));
  await synced(bed);
  bed.server.breakWatches('pods', 'fin');
  bed.server.finishDeletion(old.metadata.uid);
  const successor = bed.server.put(PODS, aPod('a'));
  bed.server.compact();
  await bed.shows((objects) => objects[0]?.metadata.uid === successor.metadata.uid);
  assert.equal(bed.reflector.objects().length, 1);
  assert.deepEqual([bed.calls('list'), bed.reflector.missed], [2, 0]);
});

for (const fault of [
  { kind: 'status', status: 410, reason: 'Expired' },
  { kind: 'bytes', bytes: errorEvent(410), end: 'silence' },
] as const) {
  test(`a watch that is gone again and again is listed again and again, after growing pauses (${fault.kind})`, async (t) => {
    const timers = new EagerTimers(seconds(30));
    const bed = await aReflector(t, { timers });
    bed.server.fail({ verb: 'watch' }, fault, 5);
    await synced(bed);
    assert.deepEqual([bed.calls('list'), bed.calls('watch')], [6, 6]);
    assert.deepEqual(timers.delays, [250, 500, 1000, 2000, 4000]);
  });
}

test('a watch that is silent for 90 s is dead, and goes on over another connection', async (t) => {
  const timers = new ManualTimers();
  const bed = await aReflector(t, { timers });
  await synced(bed);
  bed.server.breakWatches('pods', 'silence');
  bed.server.put(PODS, aPod('a'));
  timers.advance(seconds(90));
  await timers.armed(milliseconds(250));
  assert.equal(names(bed.reflector.objects()), '');
  timers.advance(milliseconds(250));
  await bed.shows(shown('a'));
  assert.deepEqual([bed.calls('list'), bed.calls('watch')], [1, 2]);
  assert.deepEqual(bed.log.lines, ['debug a quiet watch is opened anew: nothing was heard for 90 s']);
});

test('any event keeps a watch alive, a bookmark too, and moves the place from which it would go on', async (t) => {
  const timers = new ManualTimers();
  const bed = await aReflector(t, { timers });
  await synced(bed);
  const { resourceVersion } = bed.server.put(
    { ...PODS, plural: 'configmaps' },
    { metadata: { name: 'x', namespace: 'ml' } },
  ).metadata;
  timers.advance(seconds(89));
  const rearmed = timers.rearmed(seconds(90));
  bed.server.bookmark();
  await rearmed;
  bed.server.put(PODS, aPod('a'));
  await bed.shows(shown('a'));
  timers.advance(seconds(89));
  assert.equal(bed.server.watching('pods'), 1);
  bed.server.bookmark();
  bed.server.breakWatches('pods', 'fin');
  await timers.armed(milliseconds(250));
  timers.advance(milliseconds(250));
  await bed.server.until(() => bed.calls('watch') === 2);
  const from = bed.server.requests.at(-1)?.query.get('resourceVersion');
  assert.ok(Number(from) > Number(resourceVersion), 'an event of another kind has moved it');
});

/** Lets 10 minutes pass, during which the watch is kept alive by the changes of one pod, and then the list come. */
async function tenMinutes(bed: ReflectorBed, timers: ManualTimers): Promise<void> {
  for (let n = 0; n < 10; n += 1) {
    const { uid } = bed.server.put(PODS, aPod('alive', { n: String(n) })).metadata;
    await bed.shows(() => bed.reflector.find(uid)?.metadata.labels?.['n'] === String(n));
    timers.advance(minutes(1));
  }
  await timers.armed(milliseconds(250));
  timers.advance(milliseconds(250));
  await bed.server.until(() => bed.calls('watch') === 2 && bed.server.watching('pods') === 1);
}

test('after 10 minutes everything is listed again, and what the watch has missed is repaired and counted', async (t) => {
  const timers = new ManualTimers();
  const bed = await aReflector(t, { timers });
  const doomed = bed.server.put(PODS, aPod('doomed'));
  await synced(bed);
  for (const name of ['doomed', 'lost']) bed.server.conceal(name);
  bed.server.put(PODS, aPod('lost'));
  bed.server.finishDeletion(doomed.metadata.uid);
  await tenMinutes(bed, timers);
  assert.equal(names(bed.reflector.objects()), 'alive lost');
  bed.server.bookmark();
  bed.server.put(PODS, aPod('marker'));
  await bed.shows(shown('alive lost marker'));
  assert.equal(bed.reflector.missed, 2);
  assert.deepEqual(bed.log.lines, ['warn the watch has missed changes']);
});

test('what the list shows before the watch comes to tell it was not missed', async (t) => {
  const timers = new ManualTimers();
  const bed = await aReflector(t, { timers });
  const doomed = bed.server.put(PODS, aPod('doomed'));
  await synced(bed);
  const list = bed.server.hold({ verb: 'list' });
  const passed = tenMinutes(bed, timers);
  await bed.server.until(() => list.arrived === 1);
  bed.server.put(PODS, aPod('late'));
  bed.server.finishDeletion(doomed.metadata.uid);
  list.release();
  await passed;
  bed.server.put(PODS, aPod('marker'));
  await bed.shows(shown('alive late marker'));
  assert.deepEqual([bed.calls('list'), bed.reflector.missed, bed.log.lines], [2, 0, []]);
});

test('what a list that somebody asks for shows, and the watch never tells, was missed too, however many lists follow', async (t) => {
  const bed = await aReflector(t);
  await synced(bed);
  bed.server.conceal('lost');
  bed.server.put(PODS, aPod('lost'));
  assert.equal(await bed.reflector.refresh(), 'fresh');
  assert.equal(await bed.reflector.refresh(), 'fresh');
  assert.equal(names(bed.reflector.objects()), 'lost');
  bed.server.put(PODS, aPod('marker'));
  await bed.shows(shown('lost marker'));
  assert.deepEqual([bed.reflector.missed, bed.log.lines], [1, ['warn the watch has missed changes']]);
});

test('a later list that fails does not keep the watch from going on', async (t) => {
  const timers = new ManualTimers();
  const bed = await aReflector(t, { timers });
  await synced(bed);
  bed.server.fail({ verb: 'list' }, { kind: 'status', status: 500 });
  const passed = tenMinutes(bed, timers);
  await bed.server.until(() => bed.calls('list') === 2);
  await timers.armed(milliseconds(500));
  timers.advance(milliseconds(500));
  await passed;
  bed.server.put(PODS, aPod('a'));
  await bed.shows(shown('a alive'));
  assert.equal(bed.calls('list'), 2);
});

test('changes that come together are told once, and a listener that throws stops nothing', async (t) => {
  const bed = await aReflector(t, {
    onChange: () => {
      throw new Error('a bug');
    },
  });
  for (let n = 0; n < 50; n += 1) bed.server.put(PODS, aPod(`pod-${n}`));
  await synced(bed);
  await bed.shows((objects) => objects.length === 50);
  assert.equal(bed.told(), 1);
  for (let n = 0; n < 50; n += 1) bed.reflector.absorb(bed.server.put(PODS, aPod(`own-${n}`)));
  await new Promise(setImmediate);
  assert.equal(bed.told(), 2);
  assert.deepEqual(bed.log.lines, Array(2).fill('error a listener to objects has failed'));
});

test('the answers of own writes are taken in at once, and an answer that comes late changes nothing', async (t) => {
  const bed = await aReflector(t);
  await synced(bed);
  const created = await bed.api.create(PODS, aPod('a'));
  bed.reflector.absorb(created);
  assert.deepEqual(bed.reflector.find(created.metadata.uid), created);
  const { uid } = created.metadata;
  const ref = { namespace: 'ml', name: 'a' };
  const body = { metadata: { labels: { n: '1' } } };
  const patched = await bed.api.patch(PODS, ref, { uid, resourceVersion: undefined, body });
  bed.reflector.absorb(patched);
  bed.reflector.absorb(created);
  assert.deepEqual(bed.reflector.find(uid), patched);
  bed.server.finishDeletion(uid);
  bed.server.put(PODS, aPod('marker'));
  await bed.shows(shown('marker'));
  bed.reflector.absorb(patched);
  assert.equal(names(bed.reflector.objects()), 'marker');
});

test('a list that was on its way neither revives what was deleted meanwhile nor drops what was created', async (t) => {
  const bed = await aReflector(t);
  const deleted = bed.server.put(PODS, aPod('deleted'));
  const list = bed.server.hold({ verb: 'list' }, 'answer');
  const started = bed.reflector.start();
  await bed.server.until(() => list.arrived === 1);
  bed.reflector.absorb(await bed.api.create(PODS, aPod('created')));
  bed.server.finishDeletion(deleted.metadata.uid);
  bed.reflector.absorbDeletion(deleted.metadata.uid);
  list.release();
  await started;
  assert.equal(names(bed.reflector.objects()), 'created');
});

test('stop during a back-off opens nothing any more', async (t) => {
  const timers = new ManualTimers();
  const bed = await aReflector(t, { timers });
  bed.server.fail({ verb: 'watch' }, { kind: 'reset' });
  await bed.reflector.start();
  await timers.armed(milliseconds(250));
  await bed.reflector.stop();
  assert.deepEqual(timers.delays, [], 'nothing is left to happen later');
  timers.advance(minutes(60));
  assert.deepEqual([bed.calls('list'), bed.calls('watch')], [1, 1]);
});

test('stop ends a list that is never answered, and an open watch', async (t) => {
  const timers = new ManualTimers();
  const bed = await aReflector(t, { timers });
  bed.server.fail({ verb: 'list' }, { kind: 'hang' });
  const started = bed.reflector.start();
  await bed.server.until(() => bed.calls('list') === 1);
  await bed.reflector.stop();
  assert.deepEqual(timers.delays, [], 'the call has ended');
  assert.equal(await started, 'stopped');
  assert.ok(!bed.reflector.synced);

  const other = await aReflector(t);
  await synced(other);
  await other.reflector.stop();
  await other.server.until(() => other.server.watching('pods') === 0);
  other.reflector.absorb(other.server.put(PODS, aPod('a')));
  await new Promise(setImmediate);
  assert.deepEqual([other.told(), other.log.lines], [0, []]);
});

test('a reflector that was stopped before it was started opens nothing', async (t) => {
  const bed = await aReflector(t);
  await bed.reflector.stop();
  assert.equal(await bed.reflector.start(), 'stopped');
  assert.deepEqual(bed.server.requests, []);
});
