import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { apiAgent } from './api-agent.ts';
import type { ClusterKeys } from './cluster-keys.ts';
import { writeKubeconfig } from './cluster-keys.ts';
import { MOST_CLUSTERS, type ClusterLayout } from './cluster-layout.ts';
import { SYSTEM } from './corral-names.ts';
import type { StartedProcesses } from './started-processes.ts';
import { waitUntil } from './wait-until.ts';

/** What the control plane's parts are started from. */
export interface ControlPlane {
  readonly layout: ClusterLayout;
  readonly keys: ClusterKeys;
  readonly programs: string;
  readonly processes: StartedProcesses;
  /** Of the API server and the kubelets. */
  readonly featureGates: Readonly<Record<string, boolean>>;
}

/** All calls by who, what and answer; with their bodies writes of pods, of what is declared, and of Corral's Leases. */
const WHOLE_WRITES = {
  level: 'RequestResponse',
  verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'],
  omitManagedFields: true,
};
const DECLARED = ['modeldeployments', 'modeldeployments/status', 'modelpools', 'modelpools/status'];
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      ...WHOLE_WRITES,
      resources: [
        { group: '', resources: ['pods'] },
        { group: 'corral.dev', resources: DECLARED },
      ],
    },
    { ...WHOLE_WRITES, namespaces: [SYSTEM], resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
    { level: 'Metadata' },
  ],
};

export const auditLogFile = (layout: ClusterLayout): string => join(layout.folder, 'logs', 'audit.log');

const API_SERVER = 'kube-apiserver';
const SECOND = 'kube-apiserver-second';

/** A further API server of the same cluster. */
export interface SecondServer {
  readonly url: string;
  /** Stops it (SIGSTOP): it takes connections, and answers nothing. */
  readonly stop: () => void;
  /** It goes on from where it was, and learns what has become of the world. */
  readonly wake: () => void;
}

/** An API server's process: its name, its port, and by which address it reaches etcd. */
interface ServerProcess {
  readonly name: string;
  readonly port: number;
  readonly etcd: string;
}

/** Starts etcd and the API server, and resolves when it is ready. */
export async function startApiServer(plane: ControlPlane): Promise<void> {
  const { layout, processes, programs } = plane;
  const { client, peer } = etcdUrls(layout);
  processes.start('etcd', [join(programs, 'etcd'), ...etcdFlags(layout, client, peer)]);
  await writeFile(join(layout.folder, 'audit-policy.json'), JSON.stringify(AUDIT_POLICY));
  // One that makes the log itself does not append: what a second one writes there would be overwritten.
  await appendFile(auditLogFile(layout), '');
  await restartApiServer(plane);
}

/** Starts the API server on the etcd that runs, and resolves when it is ready. */
export async function restartApiServer(plane: ControlPlane): Promise<void> {
  const { layout } = plane;
  await startServer(plane, { name: API_SERVER, port: layout.apiPort, etcd: etcdUrl(layout) });
}

/** Starts one beside it that reaches etcd by the given address and writes to the same audit log, and resolves when it is ready. */
export async function startSecondApiServer(plane: ControlPlane, etcd: string): Promise<SecondServer> {
  const { layout, processes } = plane;
  const port = layout.apiPort + MOST_CLUSTERS;
  await startServer(plane, { name: SECOND, port, etcd });
  return {
    url: `https://${layout.apiHost}:${port}`,
    stop: () => {
      processes.signal([SECOND], 'SIGSTOP');
    },
    wake: () => {
      processes.signal([SECOND], 'SIGCONT');
    },
  };
}

async function startServer(plane: ControlPlane, server: ServerProcess): Promise<void> {
  plane.processes.start(server.name, [join(plane.programs, API_SERVER), ...apiServerFlags(plane, server)]);
  await untilReady(plane, server);
}

/** Resolves when the API server is gone; all else goes on. */
export async function killApiServer({ processes }: ControlPlane): Promise<void> {
  processes.signal([API_SERVER], 'SIGKILL');
  const left = await processes.untilGone([API_SERVER], 10_000);
  if (left.length > 0) throw new Error('the API server cannot be killed');
}

/** Where etcd serves. */
export const etcdUrl = (layout: ClusterLayout): string => etcdUrls(layout).client;

function etcdUrls({ etcdPorts: [client, peer] }: ClusterLayout): { readonly client: string; readonly peer: string } {
  return { client: `http://127.0.0.1:${client}`, peer: `http://127.0.0.1:${peer}` };
}

function etcdFlags(layout: ClusterLayout, client: string, peer: string): readonly string[] {
  return [
    ...['--name=test', `--data-dir=${layout.etcdFolder}`, '--unsafe-no-fsync', '--log-level=warn'],
    ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
    ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=test=${peer}`],
  ];
}

function apiServerFlags(
  { layout, keys, featureGates }: ControlPlane,
  { port, etcd }: ServerProcess,
): readonly string[] {
  const key = (name: string): string => join(keys.folder, name);
  return [
    ...[`--etcd-servers=${etcd}`, `--bind-address=${layout.apiHost}`, `--secure-port=${port}`],
    ...[`--advertise-address=${layout.apiHost}`, `--service-cluster-ip-range=${layout.serviceNetwork}`],
    // Loopback is no address that a service may have.
    `--endpoint-reconciler-type=${layout.nodes.length > 0 ? 'lease' : 'none'}`,
    ...[`--tls-cert-file=${key('server.crt')}`, `--tls-private-key-file=${key('server.key')}`],
    ...[`--client-ca-file=${keys.caFile}`, `--token-auth-file=${key('tokens.csv')}`, '--authorization-mode=Node,RBAC'],
    ...['--service-account-issuer=https://kubernetes.default.svc', `--service-account-key-file=${key('sa.pub')}`],
    `--service-account-signing-key-file=${key('sa.key')}`,
    ...['--kubelet-preferred-address-types=InternalIP', '--allow-privileged=true', '--shutdown-delay-duration=0s'],
    ...[`--audit-policy-file=${join(layout.folder, 'audit-policy.json')}`, `--audit-log-path=${auditLogFile(layout)}`],
    ...Object.entries(featureGates).map(([name, isOn]) => `--feature-gates=${name}=${isOn}`),
    // In MB; without it the log is begun anew after 100.
    '--audit-log-maxsize=4000',
  ];
}

async function untilReady({ layout, keys, processes }: ControlPlane, { name, port }: ServerProcess): Promise<void> {
  const agent = apiAgent(keys.ca);
  const url = `https://${layout.apiHost}:${port}/readyz`;
  const look = async (): Promise<boolean> => {
    const answer = await request(url, { dispatcher: agent }).catch(() => undefined);
    await answer?.body.dump();
    if (processes.find(name) === undefined) throw new Error(`${name} has ended:\n${processes.lastLines(name)}`);
    return answer?.statusCode === 200;
  };
  try {
    await waitUntil(`${name} is ready`, 120, look, () => processes.lastLines(name));
  } finally {
    await agent.close();
  }
}

/** Starts the controller manager and the scheduler. */
export async function startControllers({ layout, keys, programs, processes }: ControlPlane): Promise<void> {
  const controllers = await writeKubeconfig(layout, keys, 'system:kube-controller-manager');
  processes.start('kube-controller-manager', [
    join(programs, 'kube-controller-manager'),
    ...[`--kubeconfig=${controllers}`, '--leader-elect=false', '--secure-port=0', '--allocate-node-cidrs=false'],
    ...[`--root-ca-file=${keys.caFile}`, `--service-account-private-key-file=${join(keys.folder, 'sa.key')}`],
    ...['--kube-api-qps=200', '--kube-api-burst=400'],
    // A node that is silent counts as lost after 10 s instead of 50 s, so that tests about it end.
    ...['--node-monitor-period=1s', '--node-monitor-grace-period=10s', '--node-startup-grace-period=20s'],
    ...['--node-eviction-rate=10', '--secondary-node-eviction-rate=10'],
    '--controllers=*,-node-route-controller,-cloud-node-lifecycle-controller,-service-lb-controller,-node-ipam-controller',
  ]);
  const scheduler = await writeKubeconfig(layout, keys, 'system:kube-scheduler');
  processes.start('kube-scheduler', [
    join(programs, 'kube-scheduler'),
    ...[`--kubeconfig=${scheduler}`, '--leader-elect=false', '--secure-port=0'],
    ...['--kube-api-qps=200', '--kube-api-burst=400'],
  ]);
}
