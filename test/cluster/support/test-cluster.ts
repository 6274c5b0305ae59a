import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cleanup } from '../../support/temp-folder.ts';
import { ApiClient, RefusedCall } from './api-client.ts';
import type { ApiObject } from './api-client.ts';
import type { ClusterRecord } from './cluster-record.ts';
import { archiveOf, IMAGES } from './images/cluster-images.ts';
import type { ImageName } from './images/cluster-images.ts';
import { isTrue, textAt } from './field-at.ts';
import { hasImage, importImage } from './node/node-runtime.ts';
import { run } from './run.ts';

/** One call to the API server, from the audit log. */
export interface AuditEvent {
  readonly verb: string;
  readonly user: {
    readonly username: string;
    /** Of a service account, among others `authentication.kubernetes.io/pod-uid`. */
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly requestURI: string;
  readonly requestReceivedTimestamp: string;
  readonly userAgent?: string;
  readonly objectRef?: {
    /** Missing: the core group. */
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number };
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
  readonly stageTimestamp: string;
  /** `authorization.k8s.io/decision` says `forbid` where RBAC has refused the call. */
  readonly annotations?: Readonly<Record<string, string>>;
}

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
  readonly #loaded = new Map<ImageName, Promise<void>>();

  constructor(record: ClusterRecord) {
    ({ server: this.server, caFile: this.caFile, tokenFile: this.tokenFile, kubeconfig: this.kubeconfig } = record);
    ({ hostIp: this.hostIp, node: this.node, kubectl: this.kubectlFile } = record);
    this.#record = record;
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
    const pods = `/api/v1/namespaces/${name}/pods`;
    const left = await this.api.list(pods);
    const quick = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 1 };
    for (const { metadata } of left)
      await this.api.call('DELETE', `${pods}/${metadata.name}`, quick).catch(ignoreAbsence);
    for (const { metadata } of left) await this.api.until(pods, metadata.name, (pod) => pod === undefined);
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
    const loading = archiveOf(name, process.env).then(async (archive) => this.loadImage(archive, IMAGES[name]));
    this.#loaded.set(name, loading);
    await loading;
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
    const text = await readFile(this.#record.auditLog, 'utf8');
    const complete = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    return complete.filter((line) => line !== '').map(decodeAudit);
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

/** Throws for what is no line of an audit log. */
export function decodeAudit(line: string): AuditEvent {
  const event: unknown = JSON.parse(line);
  if (!isAuditEvent(event)) throw new Error(`no audit event: ${line.slice(0, 200)}`);
  return event;
}

const isAuditEvent = (event: unknown): event is AuditEvent =>
  typeof event === 'object' && event !== null && 'auditID' in event && 'verb' in event && 'user' in event;
