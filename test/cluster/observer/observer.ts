import { setTimeout as delay } from 'node:timers/promises';
import type { ApiObject } from '../support/api-client.ts';
import { addressOf } from '../support/field-at.ts';
import { isReady } from '../support/test-cluster.ts';
import type { TestCluster } from '../support/test-cluster.ts';
import { waitUntil } from '../support/wait-until.ts';
import { KindFollower } from './follow-kind.ts';
import type { Told } from './follow-kind.ts';
import type { Books, Call, History, Seen, Violation } from './history.ts';
import { judge } from './judge.ts';
import { readBooks } from './read-books.ts';
import { readCall } from './read-call.ts';
import { readDeployment, readPool, readReport } from './read-object.ts';
import { readPod } from './read-pod.ts';

/** What is followed, and how one state of it is read. */
interface Followed {
  readonly collection: string;
  readonly definition?: string;
  readonly read: (told: Told, at: number) => Seen;
}

const GROUP = '/apis/corral.dev/v1alpha1';
const FOLLOWED: readonly Followed[] = [
  { collection: '/api/v1/pods', read: ({ object, ...when }, at) => ({ ...when, at, kind: 'pod', object: readPod(object) }) }, // prettier-ignore
  {
    collection: `${GROUP}/modeldeployments`,
    definition: 'modeldeployments.corral.dev',
    read: ({ object, ...when }, at) => ({ ...when, at, kind: 'deployment', object: readDeployment(object) }),
  },
  {
    collection: `${GROUP}/modelpools`,
    definition: 'modelpools.corral.dev',
    read: ({ object, ...when }, at) => ({ ...when, at, kind: 'pool', object: readPool(object) }),
  },
  {
    collection: `${GROUP}/edgereports`,
    definition: 'edgereports.corral.dev',
    read: ({ object, ...when }, at) => ({ ...when, at, kind: 'report', object: readReport(object) }),
  },
];

const EDGES = '/api/v1/namespaces/corral-system/pods?labelSelector=app.kubernetes.io/name%3Dcorral-edge';
const LOOK_EVERY_MS = 100;
/** For so long may what was said last be on its way, in seconds. */
const PATIENCE = 20;

/** What was watched, and what of it must not be. */
export interface Verdict {
  readonly states: number;
  readonly writes: number;
  readonly violations: readonly Violation[];
}

/**
 * Watches a cluster from outside: follows its objects over the API server with none of Corral's code, and at the end reads
 * the audit log and the edges' metrics, and judges all of it.
 */
export class Observer {
  readonly #cluster: TestCluster;
  readonly #followers: readonly KindFollower[];
  readonly #seen: Seen[] = [];
  readonly #gaps: string[] = [];

  private constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    this.#followers = FOLLOWED.map(
      ({ collection, definition, read }) =>
        new KindFollower({
          ...{ api: cluster.api, collection, definition },
          onTold: (told) => this.#seen.push(read(told, performance.now())),
          onGap: (why) => this.#gaps.push(why),
        }),
    );
  }

  /** Resolves when it watches. */
  static async start(cluster: TestCluster): Promise<Observer> {
    const observer = new Observer(cluster);
    await Promise.all(observer.#followers.map(async (follower) => follower.start()));
    return observer;
  }

  /** Ends the watching, while the cluster still runs and nobody uses it any more, and judges all that was seen. */
  async end(): Promise<Verdict> {
    const books = await this.#readBooks();
    await this.#catchUp();
    await Promise.all(this.#followers.map(async (follower) => follower.end()));
    const history = await this.#history(books);
    return { states: history.seen.length, writes: history.calls.length, violations: judge(history) };
  }

  async #history(books: readonly Books[]): Promise<History> {
    const events = await this.#cluster.auditLog();
    const calls = events.map(readCall).filter((call): call is Call => call !== undefined);
    return {
      seen: this.#seen.toSorted((a, b) => a.version - b.version),
      calls: calls.toSorted((a, b) => a.answered - b.answered),
      books,
      gaps: this.#gaps,
    };
  }

  async #catchUp(): Promise<void> {
    for (const follower of this.#followers)
      await waitUntil('the observer has seen all', PATIENCE, async () => follower.isCaughtUp()).catch(
        (error: unknown) => this.#gaps.push(String(error)),
      );
  }

  /** Of the edges that serve. What has been asked is over, but an edge may still have to hear of it. */
  async #readBooks(): Promise<readonly Books[]> {
    const pods = await this.#cluster.api.list(EDGES);
    const serving = pods.filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined);
    const books = await Promise.all(
      serving.map(async (pod) =>
        readAtRest(pod).catch((error: unknown) => {
          this.#gaps.push(`the metrics of ${pod.metadata.name}: ${String(error)}`);
          return [];
        }),
      ),
    );
    return books.flat();
  }
}

/** Reads until nothing is in flight there, or for as long as that may take: what is wrong then is in the books. */
async function readAtRest(pod: ApiObject): Promise<readonly Books[]> {
  const address = addressOf(pod);
  const end = performance.now() + PATIENCE * 1000;
  for (;;) {
    const answer = await fetch(`http://${address}:8081/metrics`);
    const books = readBooks(pod.metadata.name, await answer.text());
    if (books.inFlight + books.waiting === 0 || performance.now() > end) return [books];
    await delay(LOOK_EVERY_MS);
  }
}
