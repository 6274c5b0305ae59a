import { setTimeout as delay } from 'node:timers/promises';
import type { SecondServer } from '../../cluster/support/control-plane.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { ApiProxy, Fate } from './api-proxy.ts';
import { EtcdRelay } from './etcd-relay.ts';
import type { Stage } from './stage.ts';

/**
 * What happens at a write. `behind`: all watches go on at an API server that hears nothing of etcd for a while; `models-behind`,
 * `pods-behind`: those of one kind alone do; `restarted`: as `behind`, and the operator is killed, so that another one begins
 * there; `asleep`: all had gone to an API server that is stopped then, before it has read the write, and now go to the other one;
 * when it wakes up it carries out what it has got by then, and the watches go back to it.
 */
export const LAGS = ['behind', 'models-behind', 'pods-behind', 'restarted', 'asleep'] as const;
export type Lag = (typeof LAGS)[number];

/** Whose watches are late, by their paths. */
const LATE: Readonly<Record<Lag, RegExp>> = {
  behind: /./u,
  'models-behind': /\/modeldeployments$/u,
  'pods-behind': /\/pods$/u,
  restarted: /./u,
  asleep: /./u,
};

const BEHIND_MS = 900;
/** Until all go to the other one, and from then on until it wakes up: what it had got was given up, and sent again to the other one. */
const UNNOTICED_MS = 400;
const ASLEEP_MS = 2_300;

/** Two API servers over one etcd, of which the second one is late when it is told to be. */
export class TwoServers {
  readonly #proxy: ApiProxy;
  readonly #second: SecondServer;
  readonly #relay: EtcdRelay;
  #playing: Promise<void> = Promise.resolve();

  private constructor(proxy: ApiProxy, second: SecondServer, relay: EtcdRelay) {
    this.#proxy = proxy;
    this.#second = second;
    this.#relay = relay;
  }

  /** Starts the second one. The proxy is that of the operator. */
  static async start(t: Cleanup, { own }: Stage, proxy: ApiProxy): Promise<TwoServers> {
    const { relay, url } = await EtcdRelay.start(t, own.etcd);
    return new TwoServers(proxy, await own.startSecondApiServer(url), relay);
  }

  /** To be called before the write comes. */
  prepare(lag: Lag): void {
    if (lag === 'asleep') this.#goTo(() => this.#second.url);
  }

  /** To be called at the write. */
  lag(lag: Lag): Fate {
    if (lag === 'asleep') this.#second.stop();
    else this.#relay.freeze();
    this.#playing = lag === 'asleep' ? this.#sleep() : this.#fallBehind(lag);
    return lag === 'restarted' ? 'after' : 'pass';
  }

  /** Resolves when nothing is late any more and all go to the first one. */
  async reset(): Promise<void> {
    await this.#playing;
    this.#goTo(() => this.#proxy.server);
  }

  async #fallBehind(lag: Lag): Promise<void> {
    this.#goTo(this.#watching(lag));
    await delay(BEHIND_MS);
    this.#relay.thaw();
  }

  async #sleep(): Promise<void> {
    await delay(UNNOTICED_MS);
    this.#goTo(() => this.#proxy.server);
    await delay(ASLEEP_MS);
    this.#second.wake();
    this.#goTo(this.#watching('asleep'));
  }

  /** Watches at the second one, all else at the first one. */
  #watching(lag: Lag): ApiProxy['serverFor'] {
    return (path, isWatch) => (isWatch && LATE[lag].test(path) ? this.#second.url : this.#proxy.server);
  }

  #goTo(serverFor: ApiProxy['serverFor']): void {
    this.#proxy.serverFor = serverFor;
    this.#proxy.breakReads();
  }
}
