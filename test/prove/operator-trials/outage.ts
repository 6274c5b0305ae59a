import { freeLease } from '../../cluster/support/operator-lease.ts';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Series } from '../proof.ts';
import { tryEach } from '../try-each.ts';
import { loadModels, type LoadedModels } from './loaded-models.ts';
import { untilNodeTakesPods } from './paper-kubelet.ts';
import { RestartedOperator } from './restarted-operators.ts';
import type { Stage } from './stage.ts';
import { kindOf } from './write-kind.ts';

/** The API server is killed, and comes back after so long, in milliseconds. Two models are loaded; one more is wanted meanwhile. */
export async function tryOutage(t: Cleanup, stage: Stage, operators: 1 | 2, lasting: number): Promise<Series> {
  await freeLease(stage.own.cluster.api);
  const seats: RestartedOperator[] = [];
  for (const name of ['operator-a', 'operator-b'].slice(0, operators)) {
    const seat = await RestartedOperator.start(t, stage, name);
    await seat.operator.log.waitFor({ msg: seats.length === 0 ? 'operating' : 'standing by' });
    seats.push(seat);
  }
  const models = await loadModels(t, stage, { id: `outage-${operators}`, busy: ['a', 'b'], unloaded: ['c'] });
  const tried = await tryEach([lasting], async () => goAway(stage, seats, models, lasting));
  await untilNodeTakesPods(stage.own.cluster.api);
  const which = operators === 1 ? 'the only operator' : 'two operators';
  const what = `${which}: the API server is killed, and started again after ${lasting / 1000} s`;
  return { what, runs: 1, ...tried, timed: 'from its being ready to the first write' };
}

async function goAway(
  { own, pods, audit }: Stage,
  seats: readonly RestartedOperator[],
  { trial, edit }: LoadedModels,
  lasting: number,
): Promise<number> {
  const before = podsAsText(trial.holding);
  await own.killApiServer();
  trial.request('c');
  await delay(lasting);
  const written = firstWriteOf(seats);
  await own.restartApiServer();
  const began = performance.now();
  await audit.readOn();
  const since = audit.length;
  await edit();
  // It may answer before it calls itself ready.
  const took = Math.max(0, (await written) - began);
  await trial.untilPhase('c', 'Waiting');
  await pods.until('the pods are as they were', () => (podsAsText(trial.holding) === before ? true : undefined));
  await audit.readOn();
  const done = audit.since(since).filter(({ resource }) => resource === 'pods');
  if (done.length > 0) throw new Error(`written: ${done.map(({ verb, path }) => `${verb} ${path}`).join(' ')}`);
  const exits = seats.flatMap((seat) => seat.exits);
  if (exits.join() !== 'code 1') throw new Error(`only the one that led has to end, with 1, but: ${exits.join()}`);
  return took;
}

/** What must not change: which pods there are, and their gates. */
const podsAsText = (pods: LoadedModels['trial']['holding']): string =>
  pods.map(({ metadata: { uid, deletionTimestamp, annotations } }) => `${uid} ${String(deletionTimestamp)} ${String(annotations?.['corral.dev/gate'])}`).sort().join('\n'); // prettier-ignore

async function firstWriteOf(seats: readonly RestartedOperator[]): Promise<number> {
  return new Promise((resolve) => {
    for (const { proxy } of seats) {
      proxy.onWritten = (write) => {
        if (kindOf(write) !== 'Lease') resolve(performance.now());
      };
    }
  });
}
