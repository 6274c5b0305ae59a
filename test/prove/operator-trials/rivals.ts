import { RefusedCall, type ApiClient, type ApiObject } from '../../cluster/support/api-client.ts';
import { GROUP } from '../../cluster/support/corral-names.ts';
import type { ApiProxy } from './api-proxy.ts';
import { podPath } from './paper-kubelet.ts';
import type { Stage } from './stage.ts';
import type { Trial } from './trial.ts';
import { kindOf, type WriteKind } from './write-kind.ts';

/** Others who write to the ModelDeployment of a trial and to its pods, each one write after the other, until they are told to end. */
export class Rivals {
  readonly #api: ApiClient;
  readonly #trial: Trial;
  readonly #working: Promise<unknown>;
  #isOver = false;
  /** How often they have written. */
  writes = 0;

  constructor({ own }: Stage, trial: Trial, count: number) {
    this.#api = own.cluster.api;
    this.#trial = trial;
    this.#working = Promise.all(Array.from({ length: count }, async (_, index) => this.#write(index)));
  }

  /** Resolves when they have ended. Rejects if one of their writes was refused. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }

  async #write(index: number): Promise<void> {
    for (let count = 1; !this.#hasEnded(); count += 1) {
      for (const path of this.#paths()) await this.#annotate(path, { [`example.com/rival-${index}`]: String(count) });
    }
  }

  #hasEnded(): boolean {
    return this.#isOver;
  }

  #paths(): readonly string[] {
    const { place, id, holding } = this.#trial;
    return [
      `${GROUP}/namespaces/${place.namespace}/modeldeployments/${id}`,
      ...holding.map((pod: ApiObject) => podPath(pod)),
    ];
  }

  /** A pod may be gone by then. */
  async #annotate(path: string, annotations: object): Promise<void> {
    await this.#api.call('PATCH', path, { metadata: { annotations } }).catch((error: unknown) => {
      if (!(error instanceof RefusedCall && error.status === 404)) throw error;
    });
    this.writes += 1;
  }
}

/** Those that name the version that they mean. */
const VERSIONED: ReadonlySet<WriteKind> = new Set(['closing of a gate', 'opening of a gate', 'deletion of a pod']);

/** Of each write of an operator that names a version and was carried out: how often it had met with a conflict before. */
export function countConflicts(proxy: ApiProxy): readonly number[] {
  const counts: number[] = [];
  const open = new Map<string, number>();
  proxy.onWritten = (write, status) => {
    if (!VERSIONED.has(kindOf(write))) return;
    const key = `${kindOf(write)} ${write.path}`;
    const met = open.get(key);
    const before = met === undefined ? 0 : met;
    if (status === 409) open.set(key, before + 1);
    else if (status < 300) {
      counts.push(before);
      open.delete(key);
    }
  };
  return counts;
}
