import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertWhole, startStream } from '../../support/chat.ts';
import type { ApiObject } from '../support/api-client.ts';
import { callsOf } from '../support/audit.ts';
import { comingsAndGoings } from '../support/comings-and-goings.ts';
import { SYSTEM } from '../support/corral-names.ts';
import { ask, contentOf, startAsking, untilListed } from '../support/edge-client.ts';
import { goOn, processOf } from '../support/pod-process.ts';
import { inCluster } from '../support/in-cluster.ts';
import type { PresetSpec, Scene } from '../support/scene.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { RunningEdge } from '../support/corral-in-cluster.ts';
import { cutOff } from '../support/cut-off.ts';

const preset = (name: string): PresetSpec => ({ name, source: { path: `/models/${name}.gguf` } });

/** Tokens of each of many streams, which take turns in one slot: together they take longer than an edge must be silent. */
const LONG = 600;
const STREAMS = 20;
/** Tokens of each of the streams that follow one another. */
const SHORT = 300;
/** So many of them are under way at a time: one in the slot, the others queued behind it. */
const AT_A_TIME = 3;
/** Where edges tell of themselves. */
const ADMIN_PORT = '8081';
/** Reads of a Lease, 2 s apart: the slots are looked at twice meanwhile. */
const READS = 3;

/**
 * Two models in pools with room for one: `idle` of `a`, which `b` can have leave, and `busy` of `slow`, which has to leave for `next`
 * once that has waited for a moment.
 */
async function loadModels(scene: Scene): Promise<{ readonly idle: ApiObject; readonly busy: ApiObject }> {
  const idlePool = await scene.pool({ capacity: { maxLoaded: 1 } });
  const busyPool = await scene.pool({ capacity: { maxLoaded: 1 }, eviction: { fairAfter: '300ms' } });
  await scene.apply('idle', idlePool, [preset('a'), preset('b')]);
  await scene.apply('busy', busyPool, [preset('slow'), { name: 'next', source: preset('b').source }]);
  for (const name of ['a', 'slow']) contentOf(await ask(scene.url, name));
  return { idle: await scene.readyPod('a'), busy: await scene.readyPod('slow') };
}

/** Another edge beside the one that the scene has. It ends with the test, or the other one does. */
async function secondEdge({ t, corral }: Scene): Promise<RunningEdge> {
  const first = await corral.pod('edge');
  const scale = async (replicas: number): Promise<string> =>
    corral.cluster.kubectl(['--namespace', SYSTEM, 'scale', 'deployment/corral-edge', `--replicas=${replicas}`]);
  await scale(2);
  const pod = await corral.pod('edge', first);
  t.after(async () => {
    await scale(1);
    await Promise.race([corral.untilGone(first), corral.untilGone(pod)]);
    await corral.untilAvailable();
  });
  return { pod, url: corral.urlOf(pod) };
}

/** Stops the process of an edge, which answers nobody from then on. Returns its id. */
function hang({ t }: Scene, { pod }: RunningEdge): number {
  const pid = processOf(pod);
  process.kill(pid, 'SIGSTOP');
  t.after(() => {
    goOn(pid);
  });
  return pid;
}

/** Streams of an edge, one after the other, until they are stopped. */
class Streams {
  readonly #clients: readonly Promise<void>[];
  #isOver = false;
  /** Those that came whole. */
  whole = 0;

  constructor(edge: RunningEdge, model: string) {
    this.#clients = Array.from({ length: AT_A_TIME }, async () => this.#beClient(edge, model));
    // A test that has failed before must not end by another error.
    for (const client of this.#clients) client.catch(() => undefined);
  }

  /** Resolves when the last one has ended. Rejects if one was cut. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  async #beClient(edge: RunningEdge, model: string): Promise<void> {
    while (!this.#isOver) {
      await assertWhole((await startStream(edge, model, SHORT)).whole, model, SHORT);
      this.whole += 1;
    }
  }
}

/** How often the operator that leads has read the Lease of an edge. */
async function readsOf({ corral }: Scene, { pod }: RunningEdge): Promise<number> {
  const leader = await corral.leader();
  const calls = await callsOf(corral.cluster, 'operator');
  return calls.filter(({ verb, user, objectRef }) => {
    const isOfLeader = user.extra?.['authentication.kubernetes.io/pod-uid']?.includes(leader.metadata.uid) === true;
    return isOfLeader && verb === 'get' && objectRef?.resource === 'leases' && objectRef.name === pod.metadata.name;
  }).length;
}

/** Resolves when an edge has so many requests in flight. Its report tells of the first one at once, and of the others later. */
async function untilInFlight(edge: RunningEdge, model: string, count: number): Promise<void> {
  const metrics = new URL('/metrics', edge.url);
  metrics.port = ADMIN_PORT;
  await waitUntil(`${count} requests are in flight`, 60, async () =>
    (await (await fetch(metrics)).text()).includes(`corral_requests_in_flight{model="${model}"} ${count}\n`),
  );
}

/** What has become of the pods of some presets. */
const storyOf = ({ pods }: Scene, ...presets: readonly string[]): readonly string[] =>
  comingsAndGoings(pods, 2).filter((line) => presets.some((name) => line.startsWith(`${name} `)));

/** Resolves when the operator says so of a replica, in its log. */
async function untilLogged({ corral }: Scene, message: string, { metadata }: ApiObject): Promise<void> {
  await waitUntil(message, 60, async () =>
    (await corral.logs('operator')).split('\n').some((line) => line.includes(message) && line.includes(metadata.uid)),
  );
}

describe('an edge that hangs', { timeout: 180_000 }, () => {
  it(
    'does not keep an idle model from making room, and keeps the one at which it has a stream; it serves on when it wakes up',
    inCluster(async (scene) => {
      const { idle, busy } = await loadModels(scene);
      const hung = await secondEdge(scene);
      await untilListed(hung.url, 'slow');
      const first = await startStream(hung, 'slow', LONG);
      const others = Array.from({ length: STREAMS - 1 }, async () => startStream(hung, 'slow', LONG));
      await untilInFlight(hung, 'slow', STREAMS);

      const pid = hang(scene, hung);
      const [reply, next] = [startAsking(scene.url, 'b'), startAsking(scene.url, 'next')];
      await scene.untilClosed(busy);
      await scene.pods.until('the idle model is stopped', () => findDeleted(scene, idle));
      await untilLookedAt(scene, hung, busy);
      assert.equal(findDeleted(scene, busy), undefined, 'the model is in use');
      const said = contentOf(await reply.reply);
      await untilTold(scene, hung);

      goOn(pid);
      await assertWhole(first.whole, 'slow', LONG);
      for (const [index, other] of others.entries()) {
        const stream = await other;
        if (index === 0) await assertWhole(stream.whole, 'slow', LONG);
        else stream.abort();
      }
      contentOf(await next.reply);
      assert.deepEqual(storyOf(scene, 'a', 'b'), ['a created', 'a gone', 'b created']);
      assert.deepEqual(storyOf(scene, 'slow', 'next'), ['slow created', 'slow gone', 'next created']);
      assert.equal(contentOf(await ask(hung.url, 'b')), said);
    }),
  );
});

describe('an edge that is cut off from the API server', { timeout: 180_000 }, () => {
  it(
    'goes on with its streams, whose model stays until they have ended; an idle one makes room',
    inCluster(async (scene) => {
      if (scene.corral.cluster.node.kind !== 'kubelet') {
        scene.t.skip('there is no real node');
        return;
      }
      const { idle, busy } = await loadModels(scene);
      const alone = await secondEdge(scene);
      await untilListed(alone.url, 'slow');
      const streams = new Streams(alone, 'slow');
      await untilInFlight(alone, 'slow', AT_A_TIME);

      const mend = await cutOff(scene, alone);
      const [reply, next] = [startAsking(scene.url, 'b'), startAsking(scene.url, 'next')];
      await scene.untilClosed(busy);
      const before = streams.whole;
      await scene.pods.until('the idle model is stopped', () => findDeleted(scene, idle));
      await untilLookedAt(scene, alone, busy);
      assert.ok(streams.whole >= before + 2 * AT_A_TIME, 'the edge begins streams after the gate was closed');
      assert.equal(findDeleted(scene, busy), undefined, 'the model is in use');
      const said = contentOf(await reply.reply);
      await untilTold(scene, alone);

      await streams.stop();
      contentOf(await next.reply);
      assert.deepEqual(storyOf(scene, 'a', 'b'), ['a created', 'a gone', 'b created']);
      assert.deepEqual(storyOf(scene, 'slow', 'next'), ['slow created', 'slow gone', 'next created']);
      await mend();
      assert.equal(contentOf(await ask(alone.url, 'b')), said);
    }),
  );
});

/** Resolves when the slots of a replica were looked at in the place of an edge, and could have been twice since. */
async function untilLookedAt(scene: Scene, edge: RunningEdge, replica: ApiObject): Promise<void> {
  await untilLogged(scene, 'edges are silent: looking at the slots of a replica that drains', replica);
  const before = await readsOf(scene, edge);
  await waitUntil('more looks', 60, async () => (await readsOf(scene, edge)) >= before + READS);
}

const findDeleted = ({ pods }: Scene, { metadata: { uid } }: ApiObject): ApiObject | undefined =>
  pods.pods.find(({ metadata }) => metadata.uid === uid && metadata.deletionTimestamp !== undefined);

/** Resolves when an Event says which edge was presumed dead. */
async function untilTold({ corral, namespace }: Scene, { pod }: RunningEdge): Promise<void> {
  const events = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  await waitUntil('the Event', 30, async () =>
    (await corral.cluster.api.list(events)).some(
      (event) => event['reason'] === 'PresumedDead' && String(event['note']).includes(pod.metadata.name),
    ),
  );
}
