import { effectsOfSpecs, type Specs } from '../../../unit/support/schema-effects/leaf-specs.ts';
import type { Effects } from '../../../unit/support/schema-effects/effects-of.ts';
import { asObject, RefusedCall, type ApiClient } from '../api-client.ts';
import { GROUP } from '../corral-names.ts';

const API_VERSION = 'corral.dev/v1alpha1';

/** A ModelDeployment and a ModelPool in a cluster, to which specs are applied one after the other, as `kubectl apply --server-side` does. */
export class LeafSeat {
  readonly #api: ApiClient;
  readonly #name: string;
  readonly #collections: Readonly<Record<keyof Specs, string>>;
  /** What was applied last, as text. */
  readonly #applied = new Map<keyof Specs, string>();
  readonly #stored = new Map<keyof Specs, unknown>();

  constructor(api: ApiClient, namespace: string, name: string) {
    this.#api = api;
    this.#name = name;
    this.#collections = {
      deployment: `${GROUP}/namespaces/${namespace}/modeldeployments`,
      pool: `${GROUP}/modelpools`,
    };
  }

  /** Resolves with what the API server stores of both. Throws RefusedCall. */
  async apply(specs: Specs): Promise<Specs> {
    for (const kind of ['deployment', 'pool'] as const) await this.#applyOne(kind, specs[kind]);
    return this.stored;
  }

  get stored(): Specs {
    return { deployment: this.#stored.get('deployment'), pool: this.#stored.get('pool') };
  }

  get effects(): Effects {
    return effectsOfSpecs(this.stored);
  }

  /** What would be stored of one of the two, were there no object yet. */
  async fresh(kind: keyof Specs, spec: unknown): Promise<unknown> {
    const path = `${this.#collections[kind]}?dryRun=All&fieldValidation=Strict`;
    const object = { ...headOf(kind), metadata: { name: 'fresh' }, spec };
    return asObject(await this.#api.call('POST', path, object))['spec'];
  }

  /** What the API server has of both, read from it. */
  async read(): Promise<Specs> {
    const { deployment, pool } = this.#collections;
    const [one, other] = await Promise.all(
      [deployment, pool].map(async (collection) => this.#api.find(collection, this.#name)),
    );
    return { deployment: one?.['spec'], pool: other?.['spec'] };
  }

  async remove(): Promise<void> {
    for (const kind of this.#applied.keys()) await this.#api.call('DELETE', `${this.#collections[kind]}/${this.#name}`);
    this.#applied.clear();
  }

  async #applyOne(kind: keyof Specs, spec: unknown): Promise<void> {
    const text = JSON.stringify(spec);
    if (this.#applied.get(kind) === text) return;
    const object = await this.#api.apply(this.#collections[kind], this.#name, { ...headOf(kind), spec });
    this.#applied.set(kind, text);
    this.#stored.set(kind, object['spec']);
  }
}

const headOf = (kind: keyof Specs): object => ({
  apiVersion: API_VERSION,
  kind: kind === 'pool' ? 'ModelPool' : 'ModelDeployment',
});

/** What it says of an item of a list without the field by which it tells them apart; it calls that a fault of its own. */
const KEYLESS = 'has an element that omits all key fields';

/** Whether the API server calls it wrong. Throws what is anything else. */
export async function isRefused(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return false;
  } catch (error) {
    if (error instanceof RefusedCall && (error.status === 422 || error.answer.includes(KEYLESS))) return true;
    throw error;
  }
}
