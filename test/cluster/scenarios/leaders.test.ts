import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertWhole, startStream } from '../../support/chat.ts';
import type { ApiObject } from '../support/api-client.ts';
import { callsOf } from '../support/audit.ts';
import { comingsAndGoings } from '../support/comings-and-goings.ts';
import { SYSTEM } from '../support/corral-names.ts';
import { ask, contentOf, startAsking } from '../support/edge-client.ts';
import { inCluster } from '../support/in-cluster.ts';
import { goOn, processOf, standStill } from '../support/pod-process.ts';
import type { PresetSpec, Scene } from '../support/scene.ts';
import type { AuditEvent } from '../support/audit-log.ts';

const preset = (name: string): PresetSpec => ({ name, source: { path: `/models/${name}.gguf` } });

const LONG = 300;

/**
 * How often the program of a pod was started again, and the exit code of the one before where the kubelet still knows it: its garbage collector,
 * which comes by once a minute, keeps one container of a pod that is not running, and takes the dead one where the next is made but not started.
 */
function startedAgain(
  pod: ApiObject | undefined,
): { readonly restarts: number; readonly exitCode: number | undefined } | undefined {
  const status = pod?.['status'] as
    { containerStatuses?: { restartCount: number; lastState?: { terminated?: { exitCode: number } } }[] } | undefined;
  const first = status?.containerStatuses?.[0];
  if (first === undefined || first.restartCount === 0) return undefined;
  return { restarts: first.restartCount, exitCode: first.lastState?.terminated?.exitCode };
}

const PODS = `/api/v1/namespaces/${SYSTEM}/pods`;

const isWrite = ({ verb }: AuditEvent): boolean => ['create', 'update', 'patch', 'delete'].includes(verb);
const isOfLease = ({ objectRef }: AuditEvent): boolean => objectRef?.resource === 'leases';

/** The writes of a pod of the operator, as the API server has seen them. All operators are one user: the token says which pod. */
async function writesOf(scene: Scene, pod: ApiObject): Promise<readonly AuditEvent[]> {
  const calls = await callsOf(scene.corral.cluster, 'operator');
  const isOf = ({ user }: AuditEvent): boolean =>
    user.extra?.['authentication.kubernetes.io/pod-uid']?.includes(pod.metadata.uid) === true;
  return calls.filter((call) => isWrite(call) && isOf(call));
}

describe('of two operators', { timeout: 180_000 }, () => {
  it(
    'the one that leads is stopped while a busy model drains: the first one writes nothing when it wakes up, and the other one goes on',
    inCluster(async (scene) => {
      const pool = await scene.pool({ capacity: { maxLoaded: 1 }, eviction: { fairAfter: '300ms' } });
      await scene.apply('kept', pool, [preset('slow'), preset('a')]);
      contentOf(await ask(scene.url, 'slow'));
      const stream = await startStream(scene, 'slow', LONG);
      const busy = await scene.readyPod('slow');
      const resume = standStill(scene.t, busy);
      const next = startAsking(scene.url, 'a');
      await scene.untilClosed(busy);

      const old = await scene.corral.leader();
      const stopped = processOf(old);
      process.kill(stopped, 'SIGSTOP');
      scene.t.after(() => {
        goOn(stopped);
      });
      const fresh = await scene.corral.leader(old);
      const before = await writesOf(scene, old);
      assert.ok(before.length > 0, 'it has written while it led');
      // Before the kubelet ends it, which takes 20 s or more.
      process.kill(stopped, 'SIGCONT');
      const ended = await scene.corral.cluster.api.until(
        PODS,
        old.metadata.name,
        (pod) => startedAgain(pod) !== undefined,
      );
      const { restarts, exitCode } = startedAgain(ended) ?? assert.fail('it has ended');
      assert.equal(restarts, 1);
      assert.ok(exitCode === 1 || exitCode === undefined, `it ended by itself, with 1, not with ${String(exitCode)}`);

      assert.ok(!stream.isOver(), 'the stream was too short to see another one lead while a model drains');
      resume();
      await assertWhole(stream.whole, 'slow', LONG);
      contentOf(await next.reply);
      const isDone = (): true | undefined => (comingsAndGoings(scene.pods).length === 3 ? true : undefined);
      await scene.pods.until('the other model', isDone);
      assert.deepEqual(comingsAndGoings(scene.pods), ['slow created', 'slow gone', 'a created']);
      assert.ok(
        (await writesOf(scene, fresh)).some((call) => !isOfLease(call)),
        'the other one has carried it out',
      );
      await scene.corral.untilAvailable();
      contentOf(await ask(scene.url, 'a'));
      assert.deepEqual(await writesOf(scene, old), before);
      assert.equal((await scene.corral.leader()).metadata.uid, fresh.metadata.uid);
    }),
  );
});
