import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Type from 'typebox';
import { Value } from 'typebox/value';
import type { ApiObject } from '../cluster/support/api-client.ts';
import { ask, contentOf, order } from '../cluster/support/edge-client.ts';
import { onSignal } from '../cluster/support/on-signal.ts';
import { nowMs } from '../cluster/support/pod-watch.ts';
import { Scene } from '../cluster/support/scene.ts';
import { startCluster } from '../cluster/support/start-cluster.ts';
import { isReady } from '../cluster/support/test-cluster.ts';
import { installCorral } from '../cluster/support/corral-in-cluster.ts';
import { withCleanup } from '../support/cleanup-stack.ts';
import { describeMachine } from '../support/figures.ts';
import type { Cleanup } from '../support/temp-folder.ts';
import { timeLineOf, type Seen, type TimeLine } from './coldstart/time-line.ts';
import { drawTimeLine, renderColdStartGoals, renderTimeLines } from './coldstart/time-line-report.ts';

export interface ColdStartOptions {
  readonly rounds: number;
  /** Where the picture goes; `undefined`: nowhere. */
  readonly picture: string | undefined;
  readonly print: (text: string) => void;
}

const DEPLOYMENT = 'cold';
const MODEL = 'cold';
/** The first ones have the API server look at pods that it has not seen yet, and the node at files. */
const WARM_UPS = 2;
/** An answer comes a little before the audit log has it. */
const AUDIT_LAG_MS = 500;

/** Measures cold starts in a cluster with a real node and the smallest model there is: what is left is everybody's overhead. */
export async function benchColdStart({ rounds, picture, print }: ColdStartOptions): Promise<void> {
  print(`${describeMachine()}\n`);
  await withCleanup(async (t) => {
    const own = await startCluster({ nodes: 1 });
    const forget = onSignal(async () => own.stop());
    t.after(async () => {
      forget();
      await own.stop();
    });
    const corral = await installCorral(t, own.cluster);
    const { url } = await corral.edge();
    const scene = new Scene(t, corral, await corral.namespace({}), url);
    const lines = await measureColdStarts(scene, WARM_UPS + rounds);
    const measured = lines.slice(WARM_UPS);
    print(`${rounds} cold starts one after the other, after ${WARM_UPS} to warm up\n\n`);
    print(`${renderTimeLines(measured)}\n${renderColdStartGoals(measured)}`);
    if (picture !== undefined) draw(resolve(picture), measured);
  });
}

function draw(file: string, lines: readonly TimeLine[]): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, drawTimeLine(lines));
}

/** One cold start after the other: the model is loaded by a request, and unloaded by an order. */
export async function measureColdStarts(scene: Scene<Cleanup>, rounds: number): Promise<readonly TimeLine[]> {
  const pool = await scene.pool();
  await scene.apply(DEPLOYMENT, pool, [{ name: MODEL, source: { path: '/models/a.gguf' } }]);
  const seen: Seen[] = [];
  for (let round = 0; round < rounds; round += 1) seen.push(await startCold(scene));
  await pause(AUDIT_LAG_MS);
  const log = await scene.corral.cluster.auditLog();
  return seen.map((one) => timeLineOf(log, one));
}

async function startCold(scene: Scene<Cleanup>): Promise<Seen> {
  const held = nowMs();
  contentOf(await ask(scene.url, MODEL, 1));
  const firstByte = nowMs();
  const pod = await scene.readyPod(MODEL);
  const { name, uid } = pod.metadata;
  const firstTime = (isSo: (pod: ApiObject) => boolean): number => {
    const event = scene.pods.events.find((one) => one.pod.metadata.uid === uid && isSo(one.pod));
    if (event === undefined) throw new Error(`${name} has answered before it was told to be there`);
    return event.at;
  };
  const [started, ready] = [firstTime(isRunning), firstTime(isReady)];
  await order(scene.url, 'unload', MODEL);
  await scene.pods.untilGone(uid);
  return { deployment: DEPLOYMENT, pod: name, held, started, ready, firstByte };
}

const RunningSchema = Type.Object({ phase: Type.Literal('Running') });
const isRunning = ({ status }: ApiObject): boolean => Value.Check(RunningSchema, status);
