import type { Cleanup } from '../../support/temp-folder.ts';
import { askStub, newAgent } from './ask-stub.ts';
import type { DrainStage } from './drain-stage.ts';
import { IMPATIENT, untilInUse, uidsInUse } from './in-use.ts';
import type { Question } from './stub-answer.ts';
import { BETWEEN, patienceFor } from './pace.ts';

/** An outage of the API server: when it was killed and when it was ready again, on the clock of `performance`. */
export interface Outage {
  readonly gone: number;
  readonly back: number;
  /** When the next model had left for another one. */
  readonly evicted: number;
  /** One sentence for each thing that was not as it should be. */
  readonly failures: readonly string[];
}

/** A request whose limit of waiting has run out. */
export const GIVEN_UP = /503 \(Retry-After: \d+\) .*"code":"model_wait_timeout"/u;
/** Scheduler and controllers try again after pauses that grow to a minute, in milliseconds; until then no pod gets a node. */
const SCHEDULER_BACK_MS = 120_000;
const NOT_FOUND = /^404 .*"code":"model_not_found"/u;
/** The one that led, which could not renew its Lease. */
const LEAD_LOST = ': 1';

/** Takes the API server away, and looks at what edges and operators make of that. */
export class ApiServerAway {
  readonly #stage: DrainStage;
  readonly #agent = newAgent();
  #asked = 0;

  constructor(t: Cleanup, stage: DrainStage) {
    this.#stage = stage;
    t.after(async () => this.#agent.destroy());
  }

  /**
   * Kills the API server, and starts it again when `untilOver` resolves, and requests that may not wait as long are told so.
   * Resolves when models leave for others again. Models must be in use (see `declareInUse`) all the time.
   */
  async outlive(untilOver: () => Promise<unknown>, between = BETWEEN): Promise<Outage> {
    const { own, operators, evictions, pods } = this.#stage;
    const used = await untilInUse(this.#stage);
    const endKeeping = operators.keep();
    await own.killApiServer();
    const gone = performance.now();
    const [early, told] = await Promise.all([this.#look(), this.#giveUp(), untilOver()]);
    const late = await this.#look();
    await own.restartApiServer();
    const back = performance.now();
    const evicted = await evictions.until(evictions.count + 1, SCHEDULER_BACK_MS + patienceFor(1));
    await evictions.until(evictions.count + between, SCHEDULER_BACK_MS + patienceFor(between));
    const ends = endKeeping();
    await operators.findLeader();
    const others =
      uidsInUse(pods.objects).join() === used.join() ? [] : ['a model that was in use all the time has another pod'];
    const failures = [...early, ...told, ...late, ...(await this.#look()), ...others, ...judgeEnds(ends)];
    return { gone, back, evicted, failures };
  }

  /** Each edge calls itself ready, and knows which names there are not. */
  async #look(): Promise<readonly string[]> {
    const looks = this.#stage.edges.all.map(async ({ url, host }) => {
      const ready = await fetch(`http://${host}:8081/readyz`);
      await ready.arrayBuffer();
      const fault = await this.#ask(url, 'nobody-declares-it');
      return [
        ...(ready.status === 200 ? [] : [`${url} is not ready: ${ready.status}`]),
        ...(NOT_FOUND.test(fault) ? [] : [`${url}, asked for a name that there is not: ${fault}`]),
      ];
    });
    return (await Promise.all(looks)).flat();
  }

  /** Asks each edge for a model that is not loaded, and that cannot be loaded in time. */
  async #giveUp(): Promise<readonly string[]> {
    const faults = await Promise.all(this.#stage.edges.all.map(async ({ url }) => this.#ask(url, IMPATIENT)));
    return faults.filter((fault) => !GIVEN_UP.test(fault)).map((fault) => `${IMPATIENT}: ${fault}`);
  }

  /** What is wrong with the answer. */
  async #ask(url: string, model: string): Promise<string> {
    this.#asked += 1;
    const question: Question = { id: `away-${this.#asked}`, model, stream: false, tokens: 1, pause: 1 };
    const { fault = 'it was answered' } = await askStub(this.#agent, url, question);
    return fault;
  }
}

/** One at the most has led. */
const judgeEnds = (ends: readonly string[]): readonly string[] =>
  ends.length > 1 || !ends.every((end) => end.endsWith(LEAD_LOST)) ? [`operators have ended: ${ends.join(', ')}`] : [];
