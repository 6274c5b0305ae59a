import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { claimCluster } from './claim-cluster.ts';
import type { Claim } from './claim-cluster.ts';
import { clearAbandoned, clearCluster } from './clear-cluster.ts';
import { makeKeys, writeKubeconfig } from './cluster-keys.ts';
import { layOut } from './cluster-layout.ts';
import type { ClusterLayout } from './cluster-layout.ts';
import type { ClusterRecord } from './cluster-record.ts';
import {
  auditLogFile,
  etcdUrl,
  killApiServer,
  restartApiServer,
  startApiServer,
  startControllers,
  startSecondApiServer,
} from './control-plane.ts';
import type { ControlPlane, SecondServer } from './control-plane.ts';
import { obtainPauseArchive } from './images/cluster-images.ts';
import { obtainPrograms } from './kubernetes-programs.ts';
import { startKubelet } from './node/node-kubelet.ts';
import { makeBridge, startMachine } from './node/node-machine.ts';
import type { NodeMachine } from './node/node-machine.ts';
import { obtainNodeParts } from './node/node-parts.ts';
import type { NodeParts } from './node/node-parts.ts';
import { importImage, PAUSE_IMAGE, startContainerd } from './node/node-runtime.ts';
import { obtainPause } from './node/pause-program.ts';
import { whyNoNode } from './node/why-no-node.ts';
import { onSignal } from './on-signal.ts';
import { StartedProcesses } from './started-processes.ts';
import { TestCluster } from './test-cluster.ts';

export interface ClusterOptions {
  /** Real nodes; 0: the control plane alone. */
  readonly nodes: 0 | 1 | 2;
  /** Whether controller manager and scheduler run; they do unless told otherwise. */
  readonly controllers?: boolean;
  /** Whether images can be mounted as volumes, as from Kubernetes 1.35 on; they can unless told otherwise. */
  readonly imageVolumes?: boolean;
}

/** A cluster of our own, and how to end it. */
export interface OwnCluster {
  readonly cluster: TestCluster;
  readonly record: ClusterRecord;
  /** Its number: clusters that run side by side have different ones. */
  readonly index: number;
  /** Ends the API server without a word. Its data stay. */
  killApiServer(): Promise<void>;
  /** Starts it again, and resolves when it is ready. */
  restartApiServer(): Promise<void>;
  /** Where etcd serves. */
  readonly etcd: string;
  /** Starts one beside it, over the same etcd, which it reaches by this address; resolves when it is ready. */
  startSecondApiServer(etcd: string): Promise<SecondServer>;
  /** Ends every process of it and removes every trace. */
  stop(): Promise<void>;
}

/** This machine cannot run a cluster, or not one with a node; the message says why and what to do. */
export class CannotRun extends Error {}

/** What a cluster is brought up from. */
interface Ingredients {
  readonly programs: string;
  readonly stock: NodeStock | undefined;
  readonly controllers: boolean;
  readonly imageVolumes: boolean;
}

/** What nodes are made from. */
interface NodeStock {
  readonly parts: NodeParts;
  readonly pause: string;
  readonly pauseArchive: string;
}

/**
 * Starts a cluster beside those that run, and clears what ended processes left of theirs. Resolves when its API server
 * and its nodes are ready. Throws CannotRun where this machine has not got what it takes.
 */
export async function startCluster(options: ClusterOptions): Promise<OwnCluster> {
  const { nodes, controllers = true, imageVolumes = true } = options;
  const programs = await obtainPrograms(process.env);
  if (programs.kind === 'absent') throw new CannotRun(programs.reason);
  const stock = nodes > 0 ? await obtainStock() : undefined;
  await clearAbandoned();
  const claim = claimCluster();
  const forget = onSignal(async () => clearCluster(claim.index));
  try {
    await clearCluster(claim.index);
    const ingredients = { programs: programs.folder, stock, controllers, imageVolumes };
    return await bringUp(claim, layOut(claim.index, nodes), ingredients);
  } catch (error) {
    await clearCluster(claim.index);
    claim.release();
    throw error;
  } finally {
    forget();
  }
}

/**
 * Builds and fetches into the caches what clusters are started from, where it is not there: for minutes that takes all of the machine.
 * What this machine cannot have, `startCluster` tells. Throws if something fails that should not.
 */
export async function fillCaches(): Promise<void> {
  const programs = await obtainPrograms(process.env);
  if (programs.kind === 'absent') return;
  await obtainStock().catch((error: unknown) => {
    if (!(error instanceof CannotRun)) throw error;
  });
}

async function obtainStock(): Promise<NodeStock> {
  const obstacle = whyNoNode(process.env);
  if (obstacle !== undefined) throw new CannotRun(obstacle);
  const found = await obtainNodeParts(process.env);
  if (found.kind === 'absent') throw new CannotRun(found.reason);
  const pause = await obtainPause(process.env);
  return { parts: found.parts, pause, pauseArchive: await obtainPauseArchive(pause, PAUSE_IMAGE, process.env) };
}

async function bringUp(
  claim: Claim,
  layout: ClusterLayout,
  { programs, stock, controllers, imageVolumes }: Ingredients,
): Promise<OwnCluster> {
  await mkdir(layout.folder, { recursive: true, mode: 0o755 });
  const [keys, processes] = [await makeKeys(layout), new StartedProcesses(layout.folder)];
  const plane = { layout, programs, keys, processes, featureGates: { ImageVolume: imageVolumes } };
  if (stock !== undefined) await makeBridge(layout);
  // The machines come up while the API server does.
  const [ready, machines] = await Promise.allSettled([startApiServer(plane), startMachines(plane, stock)]);
  if (ready.status === 'rejected') throw ready.reason;
  if (machines.status === 'rejected') throw machines.reason;
  if (controllers) await startControllers(plane);
  if (stock !== undefined) for (const machine of machines.value) await startKubelet(machine, stock.parts, plane);
  const record = await recordOf(plane, machines.value, stock);
  const cluster = new TestCluster(record);
  for (const { name } of layout.nodes) await cluster.untilNodeReady(name);
  // By the controller manager.
  if (controllers)
    await cluster.api.until(
      '/api/v1/namespaces/default/serviceaccounts',
      'default',
      (account) => account !== undefined,
    );
  return {
    cluster,
    record,
    index: claim.index,
    killApiServer: async () => killApiServer(plane),
    restartApiServer: async () => restartApiServer(plane),
    etcd: etcdUrl(layout),
    startSecondApiServer: async (etcd) => startSecondApiServer(plane, etcd),
    stop: async () => stop(cluster, claim),
  };
}

async function startMachines(plane: ControlPlane, stock: NodeStock | undefined): Promise<readonly NodeMachine[]> {
  if (stock === undefined) return [];
  const { layout, processes } = plane;
  const machines: NodeMachine[] = [];
  for (const node of layout.nodes) {
    const machine = await startMachine(node, layout, processes, stock.pause);
    await startContainerd(machine, stock.parts, processes);
    await importImage(machine, stock.parts, stock.pauseArchive);
    machines.push(machine);
  }
  return machines;
}

async function recordOf(
  { layout, keys, programs }: ControlPlane,
  machines: readonly NodeMachine[],
  stock: NodeStock | undefined,
): Promise<ClusterRecord> {
  const token = keys.tokens.get('admin');
  if (token === undefined) throw new Error('the cluster has no administrator');
  const tokenFile = join(keys.folder, 'admin.token');
  await writeFile(tokenFile, token, { mode: 0o600 });
  const names = layout.nodes.map(({ name }) => name);
  return {
    server: `https://${layout.apiHost}:${layout.apiPort}`,
    caFile: keys.caFile,
    tokenFile,
    kubeconfig: await writeKubeconfig(layout, keys, 'admin'),
    kubectl: join(programs, 'kubectl'),
    auditLog: auditLogFile(layout),
    hostIp: layout.apiHost,
    logs: join(layout.folder, 'logs'),
    node: names.length > 0 ? { kind: 'kubelet', names } : { kind: 'none', names, reason: 'it was started without one' },
    machines: machines.map(({ node, init, cgroups }) => ({ node: { ...node }, init, cgroups: [...cgroups] })),
    ...(stock === undefined ? {} : { parts: { ...stock.parts, env: definedOf(stock.parts.env) } }),
  };
}

const definedOf = (env: Readonly<NodeJS.ProcessEnv>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));

async function stop(cluster: TestCluster, claim: Claim): Promise<void> {
  await cluster.close();
  await clearCluster(claim.index);
  claim.release();
}
