import { setTimeout as delay } from 'node:timers/promises';
import { randomFrom } from '../../../src/testing/hostile-bodies.ts';
import type { DrainStage } from './drain-stage.ts';
import { SHUTDOWN_DELAY_MS, type Edge, type EdgeFleet } from './edge-fleet.ts';
import type { Play } from './play.ts';

/** After so long, in milliseconds, all clients have heard that an edge ends. */
export const LATEST_MS = SHUTDOWN_DELAY_MS - 1_000;

/** Who still waits when an edge is through with its delay is told that it ends: there is no model to answer. */
export const rollOut: Play = {
  what: 'three edges and two operators, which are replaced one after the other',
  counts: 'evictions',
  isExcused: (_, { what }) => /503 .*"code":"shutting_down"/u.test(what),
  play: async (stage, { runs, seed }) => {
    const random = randomFrom(seed);
    const edges: number[] = [];
    const operators: number[] = [];
    const failures: string[] = [];
    for (let turn = 0; turn <= stage.edges.size || stage.evictions.count < runs; turn += 1) {
      const isOperator = turn % (stage.edges.size + 1) === stage.edges.size;
      const began = performance.now();
      if (isOperator) await replaceLeader(stage, failures);
      else {
        const { ended } = await replaceEdge(stage, turn % stage.edges.size, random(LATEST_MS));
        failures.push(...(await ended));
      }
      (isOperator ? operators : edges).push(performance.now() - began);
    }
    const timed = 'from the start of the new one to the end of the old one';
    return [
      { what: 'an edge is replaced', runs: edges.length, failures, timed, timings: edges },
      { what: 'the operator that leads is told to end', runs: operators.length, failures: [], timed: 'until another one leads and another one stands by', timings: operators }, // prettier-ignore
    ];
  },
};

/** Clients hear of it `late` milliseconds after the edge is told to end. Resolves then, with the end of the old one. */
export async function replaceEdge(
  { edges }: DrainStage,
  place: number,
  late: number,
): Promise<{ readonly ended: Promise<readonly string[]> }> {
  const old = edges.at(place);
  const fresh = await edges.make(old.apiServer);
  edges.processOf(old).kill('SIGTERM');
  await delay(late);
  edges.put(place, fresh);
  return { ended: endOf(edges, old) };
}

/** Resolves when an edge that was told to end is gone, with what was wrong about that. */
async function endOf(edges: EdgeFleet, old: Edge): Promise<readonly string[]> {
  const { code, stderr } = await edges.processOf(old).exited;
  await edges.bury(old);
  return code === 0 ? [] : [`${old.pod.metadata.name} has ended with ${String(code)}: ${stderr}`];
}

async function replaceLeader({ operators }: DrainStage, failures: string[]): Promise<void> {
  const { operator, name } = operators.leader;
  operator.kill('SIGTERM');
  const { code, stderr } = await operator.exited;
  if (code !== 0) failures.push(`${name} has ended with ${String(code)}: ${stderr}`);
  await operators.handOver('left alone');
}
