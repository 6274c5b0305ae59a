import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { describe, it } from 'node:test';
import { assertWhole, startStream } from '../../support/chat.ts';
import type { ApiObject } from '../support/api-client.ts';
import { callsOf } from '../support/audit.ts';
import { comingsAndGoings } from '../support/comings-and-goings.ts';
import { ask, contentOf, startAsking, untilListed } from '../support/edge-client.ts';
import { goOn, processOf } from '../support/pod-process.ts';
import { inCluster } from '../support/in-cluster.ts';
import type { PresetSpec, Scene } from '../support/scene.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { RunningEdge } from '../support/corral-in-cluster.ts';
import { cutOff } from '../support/cut-off.ts';
import { startEdgePod } from '../support/edge-pod.ts';

/** They take turns in one slot: together they take longer than an edge must be silent. */
const MANY = { clients: 20, tokens: 600 };
/** One in the slot, the others queued behind it. */
const FEW = { clients: 3, tokens: 100 };
/** Where edges tell of themselves. */
const ADMIN_PORT = '8081';
/** Reads of a Lease, 2 s apart: the slots are looked at twice meanwhile. */
const READS = 3;

/** The models of a test. */
interface Names {
  /** Those of a pool with room for one: one that is idle, and one that is wanted in its place. */
  readonly idle: string;
  readonly wanted: string;
  /** Those of another one: one in use, and one that it has to leave for. */
  readonly busy: string;
  readonly next: string;
}

const namesFor = (test: string): Names => ({
  ...{ idle: `${test}-idle`, wanted: `${test}-wanted` },
  ...{ busy: `${test}-busy`, next: `${test}-next` },
});

const preset = (name: string, file: string): PresetSpec => ({ name, source: { path: `/models/${file}.gguf` } });

/** The one that is in use has to leave once the next has waited for a moment. */
async function loadModels(scene: Scene, names: Names): Promise<{ readonly idle: ApiObject; readonly busy: ApiObject }> {
  const idlePool = await scene.pool({ capacity: { maxLoaded: 1 } });
  const busyPool = await scene.pool({ capacity: { maxLoaded: 1 }, eviction: { fairAfter: '300ms' } });
  await scene.apply('idle', idlePool, [preset(names.idle, 'a'), preset(names.wanted, 'b')]);
  await scene.apply('busy', busyPool, [preset(names.busy, 'slow'), preset(names.next, 'b')]);
  const replies = await Promise.all([names.idle, names.busy].map(async (name) => ask(scene.url, name)));
  for (const reply of replies) contentOf(reply);
  return { idle: await scene.readyPod(names.idle), busy: await scene.readyPod(names.busy) };
}

/** The models, loaded, and another edge, which knows them. */
async function setScene(
  scene: Scene,
  names: Names,
): Promise<{ readonly edge: RunningEdge; readonly idle: ApiObject; readonly busy: ApiObject }> {
  const options = { args: ['--shutdown-delay=0'], mayHang: true };
  const [edge, models] = await Promise.all([
    startEdgePod(scene.t, scene.corral.cluster.api, options),
    loadModels(scene, names),
  ]);
  await untilListed(edge.url, names.busy);
  return { edge, ...models };
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

/** Clients of an edge, each of which asks for one stream after the other. */
class Streams {
  readonly #clients: readonly Promise<void>[];
  readonly #leaving = new AbortController();
  #isOver = false;
  readonly #cameWhole = new EventEmitter<{ one: [] }>();
  /** Those that came whole. */
  whole = 0;

  constructor(
    edge: RunningEdge,
    model: string,
    { clients, tokens }: { readonly clients: number; readonly tokens: number },
  ) {
    this.#clients = Array.from({ length: clients }, async () => this.#beClient(edge, model, tokens));
    // A test that has failed before must not end by another error.
    for (const client of this.#clients) client.catch(() => undefined);
  }

  /** Resolves when so many have come whole. Rejects if one was cut. */
  async untilWhole(count: number): Promise<void> {
    const cut = Promise.all(this.#clients);
    while (this.whole < count) await Promise.race([once(this.#cameWhole, 'one'), cut]);
  }

  /** Resolves when the last one has ended. Rejects if one was cut. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  /** All clients leave at once. Rejects if one of their streams was cut before. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.stop();
  }

  async #beClient(edge: RunningEdge, model: string, tokens: number): Promise<void> {
    const { signal } = this.#leaving;
    while (!this.#isOver) {
      try {
        await assertWhole((await startStream(edge, model, tokens, signal)).whole, model, tokens);
      } catch (error) {
        if (!signal.aborted) throw error;
        return;
      }
      this.whole += 1;
      this.#cameWhole.emit('one');
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

describe('an edge that is silent', { timeout: 300_000 }, () => {
  it(
    'since it hangs: does not keep an idle model from making room, and keeps the one at which it has a stream; it serves on when it wakes up',
    inCluster(async (scene) => {
      const names = namesFor('hung');
      const { edge: hung, idle, busy } = await setScene(scene, names);
      const streams = new Streams(hung, names.busy, MANY);
      await untilInFlight(hung, names.busy, MANY.clients);

      const pid = hang(scene, hung);
      const [reply, next] = [startAsking(scene.url, names.wanted), startAsking(scene.url, names.next)];
      await scene.untilClosed(busy);
      await scene.pods.until('the idle model is stopped', () => findDeleted(scene, idle));
      await untilLookedAt(scene, hung, busy);
      assert.equal(findDeleted(scene, busy), undefined, 'the model is in use');
      const said = contentOf(await reply.reply);
      await untilTold(scene, hung);

      const before = streams.whole;
      goOn(pid);
      await streams.untilWhole(before + 2);
      await streams.leave();
      contentOf(await next.reply);
      assertTurns(scene, names);
      assert.equal(contentOf(await ask(hung.url, names.wanted)), said);
    }),
  );

  it(
    'since it is cut off from the API server: goes on with its streams, whose model stays until they have ended; an idle one makes room',
    inCluster(async (scene) => {
      if (scene.corral.cluster.node.kind !== 'kubelet') {
        scene.t.skip('there is no real node');
        return;
      }
      const names = namesFor('alone');
      const { edge: alone, idle, busy } = await setScene(scene, names);
      const streams = new Streams(alone, names.busy, FEW);
      await untilInFlight(alone, names.busy, FEW.clients);

      const mend = await cutOff(scene, alone);
      const [reply, next] = [startAsking(scene.url, names.wanted), startAsking(scene.url, names.next)];
      await scene.untilClosed(busy);
      const before = streams.whole;
      await scene.pods.until('the idle model is stopped', () => findDeleted(scene, idle));
      await untilLookedAt(scene, alone, busy);
      // Those that were under way when the gate was closed, and as many that have begun since.
      await streams.untilWhole(before + 2 * FEW.clients);
      assert.equal(findDeleted(scene, busy), undefined, 'the model is in use');
      const said = contentOf(await reply.reply);
      await untilTold(scene, alone);

      await streams.stop();
      contentOf(await next.reply);
      assertTurns(scene, names);
      await mend();
      assert.equal(contentOf(await ask(alone.url, names.wanted)), said);
    }),
  );
});

/** One left for the other in each pool, and was gone before that came. */
function assertTurns(scene: Scene, { idle, wanted, busy, next }: Names): void {
  assert.deepEqual(storyOf(scene, idle, wanted), [`${idle} created`, `${idle} gone`, `${wanted} created`]);
  assert.deepEqual(storyOf(scene, busy, next), [`${busy} created`, `${busy} gone`, `${next} created`]);
}

/** Resolves when the slots of a replica were looked at in the place of an edge, and could have been twice since. */
async function untilLookedAt(scene: Scene, edge: RunningEdge, replica: ApiObject): Promise<void> {
  await untilLogged(scene, 'edges are silent: looking at the slots of a replica that drains', replica);
  const before = await readsOf(scene, edge);
  await waitUntil('more looks', 60, async () => (await readsOf(scene, edge)) >= before + READS);
}

/** The pod, as it was when its deletion began. */
const findDeleted = ({ pods }: Scene, { metadata: { uid } }: ApiObject): ApiObject | undefined =>
  pods.events.find(({ pod: { metadata } }) => metadata.uid === uid && metadata.deletionTimestamp !== undefined)?.pod;

/** Resolves when an Event says which edge was presumed dead. */
async function untilTold({ corral, namespace }: Scene, { pod }: RunningEdge): Promise<void> {
  const events = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  await waitUntil('the Event', 30, async () =>
    (await corral.cluster.api.list(events)).some(
      (event) => event['reason'] === 'PresumedDead' && String(event['note']).includes(pod.metadata.name),
    ),
  );
}
