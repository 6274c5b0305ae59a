import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cleanup } from '../../support/temp-folder.ts';
import { ApiClient, RefusedCall } from './api-client.ts';
import type { ApiObject } from './api-client.ts';
import { AuditLog, type AuditEvent } from './audit-log.ts';
import type { ClusterRecord } from './cluster-record.ts';
import { archiveOf, IMAGES } from './images/cluster-images.ts';
import type { ImageName } from './images/cluster-images.ts';
import { isTrue, textAt } from './field-at.ts';
import { hasImage, importImage } from './node/node-runtime.ts';
import { run } from './run.ts';

/** A running cluster, as tests use it. */
export class TestCluster {
  /** The API server's URL, and files that prove who we are: an administrator. */
  readonly server: string;
  readonly caFile: string;
  readonly tokenFile: string;
  readonly kubeconfig: string;
  /** The program. */
  readonly kubectlFile: string;
  readonly api: ApiClient;
  /** Our address as pods reach it. */
  readonly hostIp: string;
  readonly node: ClusterRecord['node'];
  readonly #record: ClusterRecord;
  readonly #audit: AuditLog;
  readonly #loaded = new Map<ImageName, Promise<void>>();

  constructor(record: ClusterRecord) {
    ({ server: this.server, caFile: this.caFile, tokenFile: this.tokenFile, kubeconfig: this.kubeconfig } = record);
    ({ hostIp: this.hostIp, node: this.node, kubectl: this.kubectlFile } = record);
    this.#record = record;
    this.#audit = new AuditLog(record.auditLog);
    const [ca, token] = [this.caFile, this.tokenFile].map((file) => readFileSync(file, 'utf8'));
    if (ca === undefined || token === undefined) throw new Error('no keys');
    this.api = new ApiClient({ server: this.server, ca, token });
  }

  /** Runs kubectl and returns what it prints. Throws RunError with its stderr if it fails. */
  async kubectl(args: readonly string[], stdin?: string): Promise<string> {
    const env = { ...process.env, KUBECONFIG: this.kubeconfig };
    return run([this.kubectlFile, ...args], { env, ...(stdin === undefined ? {} : { stdin }) });
  }

  async kubectlJson(args: readonly string[]): Promise<unknown> {
    return JSON.parse(await this.kubectl([...args, '--output=json']));
  }

  /** Applies files and folders of manifests, one after the other. */
  async deploy(...paths: readonly string[]): Promise<void> {
    for (const path of paths) await this.kubectl(['apply', '--filename', path]);
  }

  /** Applies Corral's CRDs, and resolves when the API server has their kinds. */
  async deployCrds(): Promise<void> {
    await this.deploy(join(import.meta.dirname, '../../../crds'));
    await this.kubectl(['wait', '--for=condition=Established', 'customresourcedefinitions', '--all', '--timeout=60s']);
  }

  /**
   * A new namespace with these labels, in which pods may be created; afterwards it is deleted, and waited for until its
   * models and pods are gone.
   */
  async namespace(t: Cleanup, labels: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = `test-${randomBytes(4).toString('hex')}`;
    await this.api.call('POST', '/api/v1/namespaces', { metadata: { name, labels } });
    t.after(async () => this.#removeNamespace(name));
    // Without it no pod is admitted.
    await this.api.until(`/api/v1/namespaces/${name}/serviceaccounts`, 'default', (account) => account !== undefined);
    return name;
  }

  /** The namespace itself goes later: its controller gives it 5 s in any case. */
  async #removeNamespace(name: string): Promise<void> {
    await this.api.call('DELETE', `/api/v1/namespaces/${name}`);
    // Their model names shall be free for the next test. There may be no such kind.
    const models = `/apis/corral.dev/v1alpha1/namespaces/${name}/modeldeployments`;
    await this.api.call('DELETE', models).catch(ignoreAbsence);
    const left = await this.endPods(name);
    const pods = `/api/v1/namespaces/${name}/pods`;
    for (const { metadata } of left) await this.api.until(pods, metadata.name, (pod) => pod === undefined);
  }

  /** Deletes all pods of a namespace, with a grace of a second, one by one: the observer looks at such calls. Returns them. */
  async endPods(namespace: string): Promise<readonly ApiObject[]> {
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const left = await this.api.list(pods);
    const quick = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 1 };
    for (const { metadata } of left)
      await this.api.call('DELETE', `${pods}/${metadata.name}`, quick).catch(ignoreAbsence);
    return left;
  }

  /** Makes one of our images available on all nodes, and returns its name. */
  async image(name: ImageName): Promise<string> {
    const loading = this.#loaded.get(name);
    if (loading !== undefined) await loading;
    else await this.#load(name);
    return IMAGES[name];
  }

  async #load(name: ImageName): Promise<void> {
    // The stand-in starts the programs themselves.
    if (this.node.kind !== 'kubelet') return;
    const loading = this.#provide(name);
    this.#loaded.set(name, loading);
    await loading;
  }

  /** Where another file of tests has brought it, what is in it need not be found out again. */
  async #provide(name: ImageName): Promise<void> {
    const { machines, parts } = this.#record;
    const isThere = async (machine: (typeof machines)[number]): Promise<boolean> =>
      parts !== undefined && hasImage(machine, parts, IMAGES[name]);
    if ((await Promise.all(machines.map(isThere))).every(Boolean)) return;
    await this.loadImage(await archiveOf(name, process.env), IMAGES[name]);
  }

  /** Gives all nodes the image of this name in an OCI archive, unless they have it. */
  async loadImage(archive: string, reference: string): Promise<void> {
    const { machines, parts } = this.#record;
    if (parts === undefined) throw new Error(`${archive} cannot be loaded: the cluster has no real node`);
    for (const machine of machines) {
      if (!(await hasImage(machine, parts, reference))) await importImage(machine, parts, archive);
    }
  }

  /** Resolves when a node is ready for pods. */
  async untilNodeReady(name: string): Promise<void> {
    await this.api.until('/api/v1/nodes', name, isReady);
  }

  /** Sets how much of an extended resource each node has, and resolves when the scheduler may count on it. */
  async setCapacity(resource: string, amount: number): Promise<void> {
    const [capacity, allocatable] = [{ [resource]: String(amount) }, { [resource]: String(amount) }];
    for (const name of this.node.names) {
      await this.api.call('PATCH', `/api/v1/nodes/${name}/status`, { status: { capacity, allocatable } });
      await this.api.until(
        '/api/v1/nodes',
        name,
        (node) => textAt(node, 'status', 'allocatable', resource) === String(amount),
      );
    }
  }

  /** All calls so far, oldest first. */
  async auditLog(): Promise<readonly AuditEvent[]> {
    return this.#audit.read();
  }

  /** Ends this process's connections; the cluster goes on. */
  async close(): Promise<void> {
    await this.api.close();
  }
}

function ignoreAbsence(error: unknown): void {
  if (!(error instanceof RefusedCall) || error.status !== 404) throw error;
}

/** As the API has it for nodes and pods. */
export const isReady = (object: ApiObject | undefined): boolean => isTrue(object, 'Ready');
