import { setTimeout as delay } from 'node:timers/promises';
import { request, type Agent } from 'undici';
import type { Random } from '../../../src/testing/hostile-bodies.ts';
import { RefusedCall } from '../../cluster/support/api-client.ts';
import { GROUP } from '../../cluster/support/corral-names.ts';
import { untilListed } from '../../cluster/support/edge-client.ts';
import { askStub } from '../drain-trials/ask-stub.ts';
import { POOL, type DrainStage } from '../drain-trials/drain-stage.ts';
import { oneOf } from '../drain-trials/load.ts';
import { modelPods } from '../drain-trials/model-pods.ts';
import { CUTS } from '../drain-trials/relay.ts';
import { writeQuestion, type Question } from '../drain-trials/stub-answer.ts';
import { podPath } from '../operator-trials/paper-kubelet.ts';

/** What disturbances need. */
export interface Scenery {
  readonly stage: DrainStage;
  readonly agent: Agent;
  readonly random: Random;
  /** Of this disturbance: no other one has it. */
  readonly id: string;
}

/** Something that goes wrong, and is over when this resolves, with what was wrong about Corral then. */
export type Disturbance = (scenery: Scenery) => Promise<readonly string[]>;

/** Shorter than it takes until an edge counts as silent, and until a leader has lost its lead. */
const AWAY_MS = 3_000;
const LEADER_STOPPED_MS = 1_000;
const LOST_ANSWERS = 3;
const CLIENTS = 20;
const LEAVE_WITHIN_MS = 300;
const NOTHING_WRONG: readonly string[] = [];

const stopEdge: Disturbance = async ({ stage: { edges }, random }) => {
  const process = edges.processOf(edges.at(random(edges.size)));
  process.kill('SIGSTOP');
  await delay(random(AWAY_MS));
  process.kill('SIGCONT');
  return NOTHING_WRONG;
};

const stopLeader: Disturbance = async ({ stage: { operators }, random }) => {
  const { operator } = operators.leader;
  operator.kill('SIGSTOP');
  await delay(random(LEADER_STOPPED_MS));
  operator.kill('SIGCONT');
  return NOTHING_WRONG;
};

const cutEdgeOff: Disturbance = async ({ stage: { relay }, random }) => {
  relay.cut(oneOf(CUTS, random));
  await delay(random(AWAY_MS));
  relay.mend();
  return NOTHING_WRONG;
};

/** The next writes of the leader are carried out, and their answers never come; but for those of the Lease, without which it ends. */
const loseAnswers: Disturbance = async ({ stage: { operators }, random }) => {
  const { proxy } = operators.leader;
  let left = LOST_ANSWERS;
  proxy.judge = ({ path }) => {
    if (path.includes('/leases')) return 'pass';
    left -= 1;
    return left >= 0 ? 'lost' : 'pass';
  };
  await delay(random(AWAY_MS));
  proxy.judge = () => 'pass';
  return NOTHING_WRONG;
};

const deletePod: Disturbance = async ({ stage: { cluster, pods }, random }) => {
  const models = modelPods(pods);
  if (models.length === 0) return NOTHING_WRONG;
  await cluster.api.call('DELETE', podPath(oneOf(models, random))).catch((error: unknown) => {
    if (!(error instanceof RefusedCall) || error.status !== 404) throw error;
  });
  return NOTHING_WRONG;
};

const questionOf = (id: string, model: string): Question => ({ id, model, stream: true, tokens: 4, pause: 10 });
const isNotFound = (fault: string): boolean => fault.startsWith('404 ') && fault.includes('"code":"model_not_found"');

/** A model is declared, asked for, and taken away meanwhile: who asks is answered, or told that there is no such model. */
const comeAndGo: Disturbance = async ({ stage: { cluster, edges }, agent, random, id }) => {
  const deployments = `${GROUP}/namespaces/default/modeldeployments`;
  await cluster.api.call('POST', deployments, {
    ...{ apiVersion: 'corral.dev/v1alpha1', kind: 'ModelDeployment', metadata: { name: id } },
    spec: { pool: POOL, presets: [{ name: id, source: { path: '/models/passing.gguf' } }] },
  });
  const { url } = edges.at(random(edges.size));
  await untilListed(url, id);
  const asked = Array.from({ length: CLIENTS }, async (_, client) =>
    askStub(agent, url, questionOf(`${id}-${client}`, id)),
  );
  await delay(random(AWAY_MS));
  await cluster.api.call('DELETE', `${deployments}/${id}`);
  const faults = (await Promise.all(asked)).flatMap(({ fault }) => fault ?? []);
  return faults.filter((fault) => !isNotFound(fault)).map((fault) => `${id}: ${fault}`);
};

const askForNothing: Disturbance = async ({ stage: { edges }, agent, random, id }) => {
  const { url } = edges.at(random(edges.size));
  const names = Array.from({ length: CLIENTS }, (_, client) => `${id}-${client}`);
  const asked = await Promise.all(names.map(async (name) => askStub(agent, url, questionOf(name, name))));
  return asked.flatMap(({ fault = 'it was answered' }) => (isNotFound(fault) ? [] : [`no such model: ${fault}`]));
};

/** Clients that leave while they wait, or in the middle of their answers. */
const leave: Disturbance = async ({ stage: { edges, models }, agent, random, id }) => {
  const { url } = edges.at(random(edges.size));
  const asked = Array.from({ length: CLIENTS }, async (_, client) => {
    const question = questionOf(`${id}-${client}`, oneOf(models, random));
    const signal = AbortSignal.timeout(1 + random(LEAVE_WITHIN_MS));
    const headers = { 'content-type': 'application/json' };
    const body = writeQuestion(question);
    const options = { method: 'POST', headers, body, dispatcher: agent, signal } as const;
    await request(`${url}/v1/chat/completions`, options)
      .then(async (answer) => answer.body.dump())
      .catch(() => undefined);
  });
  await Promise.all(asked);
  return NOTHING_WRONG;
};

/** All of them let the processes of Corral live, so that what these hold can be compared. */
export const DISTURBANCES: ReadonlyMap<string, Disturbance> = new Map([
  ['an edge is stopped', stopEdge],
  ['the leader is stopped', stopLeader],
  ['an edge is cut off', cutEdgeOff],
  ['answers to the leader are lost', loseAnswers],
  ['a pod is deleted', deletePod],
  ['a model comes and goes', comeAndGo],
  ['clients ask for no model', askForNothing],
  ['clients leave', leave],
]);
