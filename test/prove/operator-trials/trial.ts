import type { ApiClient, ApiObject } from '../../cluster/support/api-client.ts';
import { GROUP } from '../../cluster/support/corral-names.ts';
import { isClosed } from '../../cluster/support/pod-gate.ts';
import { findPreset, type PresetStatus } from '../../cluster/support/preset-status.ts';
import { isReady } from '../../cluster/support/test-cluster.ts';
import { podsOf, type ModelKey, type PaperRequest } from './paper-edge.ts';
import { podPath } from './paper-kubelet.ts';
import type { Stage } from './stage.ts';
import type { Place } from './write-kind.ts';
import { declareModels, declarePool } from '../../cluster/support/declare.ts';

type Fields = Readonly<Record<string, unknown>>;

/** How a model's server behaves: see the paper kubelet. */
const fake = (value: 'ready' | 'exit'): Fields => ({ env: [{ name: 'FAKE', value }] });
export const BROKEN = fake('exit');
export const WHOLE = fake('ready');
const ENGINE = { image: 'example.com/llama:1' };
const HEAD = { apiVersion: 'corral.dev/v1alpha1' };

const hasEnded = ({ status }: ApiObject): boolean => /"phase":"(Failed|Succeeded)"/u.test(JSON.stringify(status));

/** One ModelDeployment in a ModelPool of its own, what a scenario does to it, and how it stands. */
export class Trial {
  readonly stage: Stage;
  /** In the names of all that belongs to it. */
  readonly id: string;
  readonly place: Place;
  /** The most pods that held a place at once. */
  most = 0;
  #uid = '';

  constructor(stage: Stage, id: string, namespace: string) {
    this.stage = stage;
    this.id = id;
    this.place = { namespace, pool: id };
  }

  /**
   * Applies the pool, and the ModelDeployment with the one preset `a`, as `kubectl apply --server-side` does: what was given and is
   * given no more is taken back.
   */
  async apply({ preset = {}, pool = {} }: { readonly preset?: Fields; readonly pool?: Fields }): Promise<void> {
    const spec = { defaults: { engine: ENGINE }, ...pool };
    await this.#api.apply(`${GROUP}/modelpools`, this.id, { ...HEAD, kind: 'ModelPool', spec });
    const presets = [{ name: 'a', model: this.id, source: { path: '/models/a.gguf' }, ...WHOLE, ...preset }];
    const object = { ...HEAD, kind: 'ModelDeployment', spec: { pool: this.id, presets } };
    ({ uid: this.#uid } = (await this.#api.apply(this.#collection, this.id, object)).metadata);
  }

  /** Makes the pool. */
  async begin(pool: Fields): Promise<void> {
    const defaults = { engine: ENGINE, scaling: { idleTimeout: '0s' } };
    const spec = { ...pool, defaults };
    await declarePool(this.#api, this.id, spec);
  }

  /** Creates the ModelDeployment, and resolves when its names are granted. */
  async declare(presets: readonly Fields[]): Promise<void> {
    const spec = { pool: this.id, presets: presets.map((preset) => this.#preset(preset)) };
    const { namespace } = this.place;
    ({ uid: this.#uid } = (await declareModels(this.#api, { namespace, name: this.id }, spec)).metadata);
    for (const { name } of presets) await this.until(String(name), 'a name', ({ names }) => names.length > 0);
  }

  /** Replaces the presets. */
  async edit(presets: readonly Fields[]): Promise<void> {
    const spec = { presets: presets.map((preset) => this.#preset(preset)) };
    await this.#api.call('PATCH', `${this.#collection}/${this.id}`, { spec });
  }

  async editPool(spec: Fields): Promise<void> {
    await this.#api.call('PATCH', `${GROUP}/modelpools/${this.id}`, { spec });
  }

  async remove(): Promise<void> {
    await this.#api.call('DELETE', `${this.#collection}/${this.id}`);
  }

  /** A request that waits, and is then in flight until it is ended. */
  request(preset: string): PaperRequest {
    return this.stage.edge.request(this.key(preset));
  }

  /** A request, until it has its answer. */
  async ask(preset: string): Promise<void> {
    const request = this.request(preset);
    await this.untilStarted(preset, request);
    request.end();
  }

  /** Asks it, and resolves when it is ready and its status says so. */
  async load(preset: string): Promise<void> {
    await this.ask(preset);
    await this.untilPhase(preset, 'Ready');
  }

  /** Of a request of `request`. */
  async untilStarted(preset: string, request: PaperRequest): Promise<void> {
    await this.#patiently(`a pod for a request to ${preset}`, request);
  }

  key(preset: string): ModelKey {
    return { deploymentUid: this.#uid, preset };
  }

  pods(preset: string): readonly ApiObject[] {
    return podsOf(this.stage.pods, this.key(preset));
  }

  /** Resolves when the status of a preset is so. */
  async until(preset: string, what: string, isSo: (status: PresetStatus) => boolean): Promise<void> {
    await this.stage.deployments.until(
      `${this.id}: ${preset}: ${what}`,
      () => {
        const status = findPreset(this.deployment, preset);
        return status !== undefined && isSo(status) ? true : undefined;
      },
      () => JSON.stringify(this.deployment?.['status']),
    );
  }

  async untilPhase(preset: string, phase: string): Promise<void> {
    await this.until(preset, phase, (status) => status.phase === phase);
  }

  /** Resolves when so many pods of a preset are there and ready, and no others. */
  async untilReady(preset: string, count: number): Promise<void> {
    await this.untilPods(preset, `${count} ready pods`, (pods) => pods.length === count && pods.every(isReady));
  }

  async untilClosed(preset: string): Promise<void> {
    await this.untilPods(preset, 'a closed gate', (pods) => pods.some(({ metadata }) => isClosed(metadata)));
  }

  async untilOpen(preset: string): Promise<void> {
    await this.untilPods(preset, 'open gates', (pods) => pods.every(({ metadata }) => !isClosed(metadata)));
  }

  async untilGone(preset: string): Promise<void> {
    await this.untilPods(preset, 'no pods', (pods) => pods.length === 0);
  }

  /** Resolves when a pod that was there is there no more; `patience` in seconds. */
  async untilLeft(pod: ApiObject | undefined, patience?: number): Promise<void> {
    if (pod === undefined) throw new Error(`${this.id}: there was no pod`);
    const look = (): true | undefined => (this.stage.pods.find(pod.metadata.uid) === undefined ? true : undefined);
    await this.stage.pods.until(`${this.id}: ${pod.metadata.name} is gone`, look, () => this.#tell(), patience);
  }

  /** Somebody else deletes a pod. */
  async deletePod(pod: ApiObject | undefined): Promise<void> {
    if (pod === undefined) throw new Error(`${this.id}: there is no pod`);
    await this.#api.call('DELETE', podPath(pod), { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 1 });
  }

  /** `undefined`: it is gone, or never was. */
  get deployment(): ApiObject | undefined {
    return this.stage.deployments.find(this.#uid);
  }

  /** Of all presets, those that have not ended. */
  get holding(): readonly ApiObject[] {
    const isOurs = ({ metadata }: ApiObject): boolean => metadata.labels?.['corral.dev/deployment'] === this.id;
    return this.stage.pods.objects.filter((pod) => isOurs(pod) && !hasEnded(pod));
  }

  /** Counts the pods from now on; returns what ends that. */
  countPods(): () => void {
    return this.stage.pods.onChange(() => {
      this.most = Math.max(this.most, this.holding.length);
    });
  }

  /** Removes all of it. */
  async end(): Promise<void> {
    const { edge, pods } = this.stage;
    edge.forget(this.#uid);
    await this.#api.call('DELETE', `${this.#collection}/${this.id}`).catch(() => undefined);
    await pods.until(`${this.id}: all gone`, () => (this.holding.length === 0 ? true : undefined));
    await this.#api.call('DELETE', `${GROUP}/modelpools/${this.id}`);
  }

  get #collection(): string {
    return `${GROUP}/namespaces/${this.place.namespace}/modeldeployments`;
  }

  /** Its name for clients is its own among all trials. */
  #preset(preset: Fields): Fields {
    const name = String(preset['name']);
    return { source: { path: `/models/${name}.gguf` }, model: `${this.id}-${name}`, ...WHOLE, ...preset };
  }

  /** Resolves when the pods of a preset are so. */
  async untilPods(preset: string, what: string, isSo: (pods: readonly ApiObject[]) => boolean): Promise<void> {
    await this.stage.pods.until(
      `${this.id}: ${preset}: ${what}`,
      () => (isSo(this.pods(preset)) ? true : undefined),
      () => JSON.stringify(this.pods(preset).map(({ metadata, status }) => ({ ...metadata, status }))),
    );
  }

  /** Told by the pods, since it is with one of their changes that a request starts. */
  async #patiently(what: string, request: PaperRequest): Promise<void> {
    const look = (): true | undefined => (request.isStarted() ? true : undefined);
    await this.stage.pods.until(`${this.id}: ${what}`, look, () => this.#tell());
  }

  #tell(): string {
    return JSON.stringify({ status: this.deployment?.['status'], pods: this.holding.map(({ metadata }) => metadata) });
  }

  get #api(): ApiClient {
    return this.stage.own.cluster.api;
  }
}
