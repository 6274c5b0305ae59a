import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from '../../cluster/support/wait-until.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Fate } from './api-proxy.ts';
import type { AuditedWrite } from './audit-tail.ts';
import { describeDifference, endStateOf } from './end-state.ts';
import { comingsOf, judgeWrites } from './judge-writes.ts';
import { countBy, type WritePoint } from './kill-points.ts';
import { OperatorKeeper } from './operator-keeper.ts';
import type { Scenario } from './scenarios.ts';
import type { Stage } from './stage.ts';
import { Trial } from './trial.ts';
import { isIn, kindOf, type ApiWrite, type WriteKind } from './write-kind.ts';

/** What an undisturbed run of a scenario has come to. */
export interface Reference {
  readonly state: string;
  /** How often each kind was written. */
  readonly counts: ReadonlyMap<WriteKind, number>;
  /** See `comingsOf`. */
  readonly comings: ReadonlyMap<string, number>;
}

/** What is done to the operator's writes in a trial and to its Lease. */
interface Disturbance {
  readonly judge: (write: ApiWrite) => Fate;
  /** Whether an operator is killed before anything else. */
  readonly isFresh: boolean;
}

/** What a write meets with. */
export interface Trouble {
  /** Says what becomes of the write. */
  readonly meet: () => Fate;
  /** Ends it, when the end state is there: what it still holds up comes through then, and changes nothing in the end. */
  readonly mend?: () => Promise<void>;
}

/** A scenario that was played. */
interface Run {
  readonly trial: Trial;
  /** Up to where the audit log was read when it began. */
  readonly since: number;
  readonly most: number;
}

/** A trial at its end. */
interface Settled {
  readonly trial: Trial;
  readonly state: string;
  /** Up to where the audit log was read then. */
  readonly since: number;
}

/** The end state is there within so many seconds after the scenario was played. */
const PATIENCE = 15;
const LOOK_EVERY_MS = 40;
/** Nothing was written for so long: what was begun has ended. */
const QUIET_MS = 300;
/** Namespaces are used again: it takes Kubernetes seconds to remove one. */
const NAMESPACES = 4;

/**
 * Plays scenarios, one after the other, while something is done to the operator. A trial stays where it is until the next
 * one is over, and whatever is written there by then is a fault: also a new operator has nothing to do there.
 */
export class KillTrials {
  readonly #stage: Stage;
  readonly keeper: OperatorKeeper;
  #count = 0;
  #lastWrite = 0;
  #settled: Settled | undefined;
  #ending: Promise<void> = Promise.resolve();

  private constructor(stage: Stage, keeper: OperatorKeeper) {
    this.#stage = stage;
    this.keeper = keeper;
    keeper.proxy.onWritten = (write) => {
      if (kindOf(write) !== 'Lease') this.#lastWrite = performance.now();
    };
  }

  static async start(t: Cleanup, stage: Stage): Promise<KillTrials> {
    const { api } = stage.own.cluster;
    const names = Array.from({ length: NAMESPACES }, (_, index) => namespaceOf(index));
    for (const name of names) await api.call('POST', '/api/v1/namespaces', { metadata: { name } });
    for (const name of names) await api.until(`/api/v1/namespaces/${name}/serviceaccounts`, 'default', (account) => account !== undefined); // prettier-ignore
    return new KillTrials(stage, await OperatorKeeper.start(t, stage));
  }

  /** Plays a scenario undisturbed. */
  async learn(scenario: Scenario): Promise<Reference> {
    const kinds: WriteKind[] = [];
    return this.#run(scenario, { judge: noting(kinds), isFresh: false }, async ({ trial, since }) => {
      await this.#untilQuiet();
      const state = await endStateOf(trial);
      const comings = comingsOf(await this.#writesOf(trial, since), trial);
      return { state, counts: countBy(kinds), comings };
    });
  }

  /**
   * Plays a scenario in which the write of the point meets with trouble. Resolves with the time from then to the end state, in
   * milliseconds; `undefined`: the write did not come. Rejects with what went wrong, also in the trial before.
   */
  async attempt(
    scenario: Scenario,
    point: WritePoint<string>,
    reference: Reference,
    { meet, mend }: Trouble,
  ): Promise<number | undefined> {
    const hit = new Hit(point, meet);
    const judge = (write: ApiWrite): Fate => hit.judge(write);
    return this.#run(scenario, { judge, isFresh: point.isFresh === true }, async ({ trial, since, most }) => {
      await untilState(trial, reference.state);
      const took = hit.at === undefined ? undefined : performance.now() - hit.at;
      if (mend !== undefined) await this.#mend(mend, trial, reference);
      await this.#untilQuiet();
      const faults = judgeWrites(await this.#writesOf(trial, since), trial, reference.comings);
      const crowd = most > scenario.room ? [`${most} pods where there is room for ${scenario.room}`] : [];
      failFor([...faults, ...crowd, ...this.keeper.takeFaults()]);
      return took;
    });
  }

  /** Judges the last trial, after a while in which nothing happens. */
  async finish(): Promise<void> {
    await delay(QUIET_MS);
    await this.#judgeSettled();
    await this.#ending;
  }

  async #run<T>(scenario: Scenario, { judge, isFresh }: Disturbance, look: (run: Run) => Promise<T>): Promise<T> {
    await this.keeper.untilOperating();
    const trial = this.#newTrial();
    await this.#stage.audit.readOn();
    const since = this.#stage.audit.length;
    this.keeper.proxy.judge = (write) =>
      isIn(write, trial.place) || kindOf(write) === 'Lease' ? judge(write) : 'pass';
    const stopCounting = trial.countPods();
    try {
      if (isFresh) await this.keeper.kill();
      await trial.begin(scenario.pool);
      await scenario.play(trial);
      const result = await look({ trial, since, most: trial.most });
      await this.#judgeSettled();
      this.#settled = { trial, state: await endStateOf(trial), since: this.#stage.audit.length };
      return result;
    } catch (error) {
      await this.#forget(trial);
      // Its namespace is somebody else's soon.
      await this.#judgeSettled();
      throw error;
    } finally {
      stopCounting();
      this.keeper.proxy.judge = () => 'pass';
    }
  }

  #newTrial(): Trial {
    this.#count += 1;
    return new Trial(this.#stage, `trial-${this.#count}`, namespaceOf(this.#count % NAMESPACES));
  }

  async #mend(mend: () => Promise<void>, trial: Trial, { state }: Reference): Promise<void> {
    await mend();
    await delay(QUIET_MS);
    await untilState(trial, state);
  }

  async #writesOf({ place }: Trial, since: number): Promise<readonly AuditedWrite[]> {
    await this.#stage.audit.readOn();
    return this.#stage.audit.at(place, since);
  }

  async #untilQuiet(): Promise<void> {
    while (performance.now() - this.#lastWrite < QUIET_MS) await delay(LOOK_EVERY_MS);
  }

  async #judgeSettled(): Promise<void> {
    const settled = this.#settled;
    if (settled === undefined) return;
    this.#settled = undefined;
    const writes = await this.#writesOf(settled.trial, settled.since);
    const state = await endStateOf(settled.trial);
    await this.#forget(settled.trial);
    const late = writes.filter((write) => !isOrderOfUse(write)).map(({ verb, path }) => `${verb} ${path}`);
    const change = state === settled.state ? [] : [describeDifference(settled.state, state)];
    if (late.length + change.length > 0) throw new Error(`in the trial before, after its end: ${[...late, ...change].join(', ')}`); // prettier-ignore
  }

  /** Its namespace is needed again only after some more. */
  async #forget(trial: Trial): Promise<void> {
    await this.#ending;
    this.#ending = trial.end();
  }
}

/** It lags behind by a minute, and a new operator catches up. That nothing else of the pool's status changes shows in its state. */
const isOrderOfUse = ({ resource }: AuditedWrite): boolean => resource === 'modelpools/status';

const namespaceOf = (index: number): string => `prove-${index}`;

const noting =
  (kinds: WriteKind[]) =>
  (write: ApiWrite): Fate => {
    if (kindOf(write) !== 'Lease') kinds.push(kindOf(write));
    return 'pass';
  };

/** Does something at the write of a point, once. */
class Hit {
  readonly #point: WritePoint<string>;
  readonly #act: () => Fate;
  #seen = 0;
  /** When, on the monotonic clock; `undefined`: it has not come. */
  at: number | undefined;

  constructor(point: WritePoint<string>, act: () => Fate) {
    this.#point = point;
    this.#act = act;
  }

  judge(write: ApiWrite): Fate {
    if (kindOf(write) !== this.#point.kind) return 'pass';
    this.#seen += 1;
    if (this.#seen !== this.#point.nth) return 'pass';
    this.at = performance.now();
    return this.#act();
  }
}

async function untilState(trial: Trial, expected: string): Promise<void> {
  let state = '';
  const look = async (): Promise<boolean> => {
    state = await endStateOf(trial);
    return state === expected;
  };
  await waitUntil('the end state', PATIENCE, look, () => describeDifference(expected, state));
}

function failFor(faults: readonly string[]): void {
  if (faults.length > 0) throw new Error(faults.join('; '));
}
