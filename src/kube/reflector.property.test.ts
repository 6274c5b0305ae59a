import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { seconds } from '../domain/units.ts';
import type { FakeFault } from '../testing/fake-api-faults.ts';
import type { FakeApiServer } from '../testing/fake-api-server.ts';
import { aPod, keptLog, PODS, startKube, type KubeBed } from '../testing/kube-testbed.ts';
import { EagerTimers } from '../testing/manual-timers.ts';
import { compareResourceVersions } from './resource-version.ts';
import { Reflector } from './reflector.ts';

const NAMES = ['a', 'b', 'c'];

type Step =
  | { readonly kind: 'put'; readonly name: string }
  | { readonly kind: 'remove'; readonly name: string }
  /** A write of our own, whose answer is taken in at once. */
  | { readonly kind: 'patch'; readonly name: string }
  | { readonly kind: 'break'; readonly how: 'fin' | 'reset' }
  | { readonly kind: 'write'; readonly text: string }
  | { readonly kind: 'fail'; readonly verb: 'list' | 'watch'; readonly fault: FakeFault }
  | { readonly kind: 'compact' }
  /** The watch goes on at another server, which is so many versions behind. */
  | { readonly kind: 'hop'; readonly behind: number }
  | { readonly kind: 'bookmark' }
  /** A list beside the watch, which is on its way while the next steps are taken. */
  | { readonly kind: 'refresh' }
  /** Lets everything that is on its way arrive. */
  | { readonly kind: 'settle' };

const errorEvent = (code: number): string =>
  `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code, message: 'x' } })}\n`;

const name = fc.constantFrom(...NAMES);
const fault: fc.Arbitrary<FakeFault> = fc.constantFrom<FakeFault>(
  { kind: 'status', status: 410 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 429, retryAfter: 1 },
  { kind: 'reset' },
  { kind: 'bytes', bytes: errorEvent(410), end: 'fin' },
  { kind: 'bytes', bytes: '{"type":"ADDED","obj', end: 'reset' },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), name }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('patch' as const), name }) },
  fc.record({ kind: fc.constant('break' as const), how: fc.constantFrom('fin' as const, 'reset' as const) }),
  fc.record({
    kind: fc.constant('write' as const),
    text: fc.constantFrom('oops\n', errorEvent(500), errorEvent(410), '{"'),
  }),
  fc.record({ kind: fc.constant('fail' as const), verb: fc.constantFrom('list' as const, 'watch' as const), fault }),
  fc.constant<Step>({ kind: 'compact' }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('hop' as const), behind: fc.nat({ max: 8 }) }) },
  fc.constant<Step>({ kind: 'bookmark' }),
  fc.constant<Step>({ kind: 'refresh' }),
  fc.constant<Step>({ kind: 'settle' }),
);

/** What must hold at every moment: no object goes back, none that a test removed and the reflector saw go comes back. */
class Observer {
  readonly #seen = new Map<string, string>();
  readonly #gone = new Set<string>();

  look(reflector: Reflector): void {
    const objects = reflector.objects();
    for (const { metadata } of objects) {
      assert.ok(!this.#gone.has(metadata.uid), `${metadata.name} has come back`);
      const before = this.#seen.get(metadata.uid);
      assert.ok(before === undefined || compareResourceVersions(metadata.resourceVersion, before) >= 0, 'it went back');
      this.#seen.set(metadata.uid, metadata.resourceVersion);
    }
    const present = new Set(objects.map(({ metadata }) => metadata.uid));
    for (const uid of this.#seen.keys()) if (!present.has(uid)) this.#gone.add(uid);
  }
}

async function carryOut(next: Step, { server, api }: KubeBed, reflector: Reflector): Promise<void> {
  switch (next.kind) {
    case 'put':
      server.put(PODS, aPod(next.name, { n: String(server.requests.length) }));
      return;
    case 'remove':
      server.finishDeletion(uidOf(server, next.name));
      return;
    case 'patch':
      await patch(next.name, { server, api }, reflector);
      return;
    case 'break':
      server.breakWatches('pods', next.how);
      return;
    case 'write':
      server.writeToWatches('pods', next.text);
      return;
    case 'fail':
      server.fail({ verb: next.verb }, next.fault);
      return;
    case 'hop':
      server.lag(next.behind);
      server.breakWatches('pods', 'fin');
      return;
    case 'compact':
      server.compact();
      return;
    case 'bookmark':
      server.bookmark();
      return;
    case 'refresh':
      void reflector.refresh();
      return;
    case 'settle':
      await server.until(() => server.watching('pods') === 1);
  }
}

async function patch(of: string, { server, api }: KubeBed, reflector: Reflector): Promise<void> {
  const object = server.find(PODS, 'ml', of);
  if (object === undefined) return;
  const { uid, resourceVersion } = object.metadata;
  const body = { metadata: { annotations: { version: resourceVersion } } };
  reflector.absorb(await api.patch(PODS, { namespace: 'ml', name: of }, { uid, resourceVersion, body }));
}

const uidOf = (server: FakeApiServer, of: string): string => server.find(PODS, 'ml', of)?.metadata.uid ?? 'none';

const summary = (objects: readonly { readonly metadata: { uid: string; resourceVersion: string } }[]): string[] =>
  objects.map(({ metadata }) => `${metadata.uid}@${metadata.resourceVersion}`).toSorted();

/** Carries out the steps, and at the end resolves when the reflector shows what the server has. */
async function run(t: TestContext, steps: readonly Step[]): Promise<void> {
  const timers = new EagerTimers(seconds(30));
  const bed = await startKube(t, { timers });
  const { server } = bed;
  const observer = new Observer();
  const log = keptLog();
  const { promise: arrived, resolve } = Promise.withResolvers<undefined>();
  const reflector = new Reflector({
    api: bed.api,
    resource: PODS,
    scope: {},
    log,
    timers,
    onChange: () => {
      observer.look(reflector);
      if (reflector.objects().some(({ metadata }) => metadata.name === 'end')) resolve(undefined);
    },
  });
  await reflector.start();
  for (const next of steps) {
    await carryOut(next, bed, reflector);
    observer.look(reflector);
  }
  server.heal();
  server.catchUp();
  // Half a line that was written into a running watch would swallow the next event; a real server writes whole ones.
  server.breakWatches('pods', 'fin');
  server.put(PODS, aPod('end'));
  await arrived;
  assert.deepEqual(summary(reflector.objects()), summary(server.objects(PODS)));
  assert.equal(reflector.missed, 0);
  assert.ok(!log.lines.some((line) => line.startsWith('error')), log.lines.join('\n'));
  await reflector.stop();
  await bed.api.close();
  await server.close();
}

test('whatever is written and whatever breaks, in the end the copy equals the server, and it never goes back', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => run(t, steps)),
    { numRuns: 120 },
  );
});
