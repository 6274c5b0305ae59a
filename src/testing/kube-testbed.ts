import type { JsonObject } from '../domain/json.ts';
import type { TestContext } from 'node:test';
import { seconds } from '../domain/units.ts';
import type { Resource } from '../kube/kube-object.ts';
import type { NewObject } from '../kube/kube-api.ts';
import type { Timers } from '../kube/timers.ts';
import { createKubeApi, type KubeConnection } from '../kube/transport.ts';
import type { Log } from '../platform/log.ts';
import { startFakeApiServer, type FakeApiOptions, type FakeApiServer } from './fake-api-server.ts';
import { EagerTimers, NEVER } from './manual-timers.ts';

export const PODS: Resource = { group: '', version: 'v1', plural: 'pods', namespaced: true };
export const LEASES: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', namespaced: true };
export const POOLS: Resource = { group: 'corral.dev', version: 'v1alpha1', plural: 'modelpools', namespaced: false };

/** A fake API server with a client of it; both end with the test. */
export interface KubeBed {
  readonly server: FakeApiServer;
  readonly api: KubeConnection;
}

export interface KubeBedOptions extends FakeApiOptions {
  /** Eager unless given: pauses are over at once, and no call is ever late. */
  readonly timers?: Timers;
  readonly tokenFile?: string;
}

export async function startKube(t: TestContext, options: KubeBedOptions = {}): Promise<KubeBed> {
  const { timers = new EagerTimers(seconds(60)), tokenFile, ...rest } = options;
  const server = await startFakeApiServer(rest);
  const access = { server: new URL(server.url), tokenFile, caFile: undefined };
  const late = timers instanceof EagerTimers ? { callTimeout: NEVER } : {};
  const api = createKubeApi(access, { timers, log: keptLog(), ...late });
  t.after(async () => {
    await api.close();
    await server.close();
  });
  return { server, api };
}

/** A pod on a node, in the namespace `ml`. */
export const aPod = (name: string, labels: JsonObject = {}): NewObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ml', labels },
  spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'main' }] },
});

/** Pods that nobody can ask. */
export const unseen = async (): Promise<'unknown'> => Promise.resolve('unknown');

/** A log that keeps its lines as `level message reason`. */
export function keptLog(): Log & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const at =
    (level: string) =>
    (message: string, fields: object = {}): void => {
      const { reason } = Object.fromEntries(Object.entries(fields)) as { reason?: unknown };
      lines.push(typeof reason === 'string' ? `${level} ${message}: ${reason}` : `${level} ${message}`);
    };
  return { lines, error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}
