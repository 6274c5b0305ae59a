import type { Cleanup } from '../../support/temp-folder.ts';
import type { Series } from '../proof.ts';
import { tryEach } from '../try-each.ts';
import { shiftedClock } from './bent-process.ts';
import { loadModels, type LoadedModels } from './loaded-models.ts';
import { nextWrite, OperatorPair } from './operator-pair.ts';
import type { Stage } from './stage.ts';

const TIMED = 'from the signal to the first write of the next one';
const HOUR_MS = 3_600_000;

/** Two operators, of which the one that leads is ended again and again; then two whose wall clocks are two hours apart. */
export async function tryHandOvers(t: Cleanup, stage: Stage, runs: number): Promise<readonly Series[]> {
  const ordinary = new HandOvers(stage, await OperatorPair.start(t, stage), await modelsOn(t, stage, 'hand-overs'));
  const graceful = await ordinary.repeat('SIGTERM', runs);
  const crashed = await ordinary.repeat('SIGKILL', runs);
  return [
    { what: 'the operator that leads is told to end (SIGTERM)', runs, ...graceful, timed: TIMED },
    { what: 'the operator that leads is killed (SIGKILL)', runs, ...crashed, timed: TIMED },
  ];
}

/** The same of two operators, the wall clock of one an hour ahead and that of the other an hour behind. */
export async function tryClocks(t: Cleanup, stage: Stage, runs: number): Promise<readonly Series[]> {
  const flags = [HOUR_MS, -HOUR_MS].map((by) => ['--import', shiftedClock(by)]);
  const [ahead = [], behind = []] = flags;
  const bent = new HandOvers(
    stage,
    await OperatorPair.start(t, stage, [ahead, behind]),
    await modelsOn(t, stage, 'clocks'),
  );
  const tried = await bent.repeat('SIGKILL', runs);
  return [{ what: 'killed (SIGKILL), one clock an hour ahead, the other one an hour behind', runs, ...tried, timed: TIMED }]; // prettier-ignore
}

const modelsOn = async (t: Cleanup, stage: Stage, id: string): Promise<LoadedModels> =>
  loadModels(t, stage, { id, busy: ['a'] });

class HandOvers {
  readonly #stage: Stage;
  readonly #pair: OperatorPair;
  readonly #models: LoadedModels;

  constructor(stage: Stage, pair: OperatorPair, models: LoadedModels) {
    this.#stage = stage;
    this.#pair = pair;
    this.#models = models;
  }

  async repeat(signal: 'SIGTERM' | 'SIGKILL', runs: number): ReturnType<typeof tryEach> {
    return tryEach(Array.from({ length: runs }), async () => this.#once(signal));
  }

  /** Resolves with the time until the next one writes. It has something to write once the old one is gone. */
  async #once(signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
    const { leader, standby } = this.#pair;
    await this.#stage.audit.readOn();
    const since = this.#stage.audit.length;
    const written = nextWrite(standby.seat);
    const began = performance.now();
    leader.operator.kill(signal);
    const exit = await leader.operator.exited;
    await this.#models.edit();
    const took = (await written) - began;
    await this.#models.untilTold();
    await this.#pair.refill();
    if (signal === 'SIGTERM' && exit.code !== 0)
      throw new Error(`it has ended with ${String(exit.code)}: ${exit.stderr}`);
    await this.#judge(since, leader.seat.name);
    return took;
  }

  /** Nothing of the old one comes after the first write of the next one. */
  async #judge(since: number, old: string): Promise<void> {
    await this.#stage.audit.readOn();
    const writes = this.#stage.audit.since(since).filter(({ resource }) => resource !== 'leases');
    const first = writes.findIndex(({ agent }) => agent !== old);
    const late = writes.slice(first).filter(({ agent }) => agent === old);
    if (late.length > 0) throw new Error(`the old one has written late: ${late.map(({ path }) => path).join(' ')}`);
  }
}
