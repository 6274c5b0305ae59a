import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterLayout, NodeLayout } from '../cluster-layout.ts';
import { run } from '../run.ts';
import type { StartedProcesses } from '../started-processes.ts';
import { waitUntil } from '../wait-until.ts';
import { makeCgroups, removeCgroups } from './node-cgroups.ts';

/** Settings of the kernel as the kubelet's `protectKernelDefaults` wants them. */
const KERNEL_SETTINGS: ReadonlyMap<string, number> = new Map([
  ['vm.overcommit_memory', 1],
  ['vm.panic_on_oom', 0],
  ['kernel.panic', 10],
  ['kernel.panic_on_oops', 1],
  ['kernel.keys.root_maxkeys', 1_000_000],
  ['kernel.keys.root_maxbytes', 25_000_000],
]);

/** A machine made of namespaces and cgroups. Everything on it ends with its first process. */
export interface NodeMachine {
  readonly node: NodeLayout;
  /** The first process of its pid namespace, as we see it. */
  readonly init: number;
  readonly cgroups: readonly string[];
}

/** The bridge that the machines' cables lead to. Our end of it is where the API server listens. */
export async function makeBridge(layout: ClusterLayout): Promise<void> {
  await run(['ip', 'link', 'add', layout.bridge, 'type', 'bridge']);
  await run(['ip', 'address', 'add', `${layout.apiHost}/24`, 'dev', layout.bridge]);
  await run(['ip', 'link', 'set', layout.bridge, 'up']);
}

/** Starts a machine and connects it. */
export async function startMachine(
  node: NodeLayout,
  layout: ClusterLayout,
  processes: StartedProcesses,
  pause: string,
): Promise<NodeMachine> {
  await makeFolders(node);
  const cgroups = await makeCgroups(`corral-${layout.index}-${node.name}`, cgroupList(node));
  const { pid = 0 } = processes.start(`${node.name}-unshare`, [
    ...joining(cgroups),
    ...['unshare', '--fork', '--kill-child', '--propagation=private'],
    ...['--pid', '--mount', '--net', '--uts', '--ipc', '--cgroup'],
    ...['sh', join(import.meta.dirname, 'node-init.sh'), node.folder, node.name, pause],
  ]);
  const explain = (): string => processes.lastLines(`${node.name}-unshare`);
  await waitUntil(
    `the machine ${node.name}`,
    20,
    async () => Promise.resolve(existsSync(join(node.folder, 'up'))),
    explain,
  );
  const init = Number.parseInt(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
  processes.record(`${node.name}-init`, init);
  const machine = { node, init, cgroups };
  await connect(machine, layout);
  return machine;
}

const cgroupList = (node: NodeLayout): string => join(node.folder, 'cgroups');

async function makeFolders(node: NodeLayout): Promise<void> {
  for (const name of ['lib-containerd', 'lib-kubelet', 'lib-cni', 'log', 'cni', 'kernel']) {
    await mkdir(join(node.folder, name), { recursive: true });
  }
  for (const [name, value] of KERNEL_SETTINGS) await writeFile(join(node.folder, 'kernel', name), `${value}\n`);
}

/** A shell that joins the groups and becomes what follows. */
const joining = (cgroups: readonly string[]): [string, ...string[]] => [
  'sh',
  '-c',
  `set -e; ${cgroups.map((group) => `echo $$ >'${group}/cgroup.procs'; `).join('')}exec "$@"`,
  'sh',
];

/** A command as it has to be run to run on the machine. */
export const onMachine = (
  { init, cgroups }: NodeMachine,
  argv: readonly [string, ...string[]],
): [string, ...string[]] => [...joining(cgroups), 'nsenter', `--target=${init}`, '--all', '--', ...argv];

async function connect(machine: NodeMachine, layout: ClusterLayout): Promise<void> {
  const { node, init } = machine;
  await run(['ip', 'link', 'add', node.link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(init)]);
  await run(['ip', 'link', 'set', node.link, 'master', layout.bridge, 'up']);
  await run(['ip', 'route', 'replace', node.podNetwork, 'via', node.address, 'dev', layout.bridge]);
  // The first node's kube-proxy answers for the services.
  if (node === layout.nodes[0]) {
    await run(['ip', 'route', 'replace', layout.serviceNetwork, 'via', node.address, 'dev', layout.bridge]);
  }
  const others = layout.nodes.filter((other) => other !== node);
  const commands = [
    `ip address add ${node.address}/24 dev eth0`,
    'ip link set eth0 up',
    ...others.map((other) => `ip route add ${other.podNetwork} via ${other.address}`),
    `ip route add ${layout.serviceNetwork} via ${layout.apiHost}`,
    // Nothing leaves the cluster.
    'ip route add unreachable default',
    'echo 1 >/proc/sys/net/ipv4/ip_forward',
  ];
  await run(onMachine(machine, ['sh', '-ec', commands.join('\n')]));
}

/** Ends a machine as a power cut does, and removes its cgroups and its cable. */
export async function endMachine(node: NodeLayout, processes: StartedProcesses): Promise<void> {
  const names = processes.names(`${node.name}-`);
  processes.signal(names, 'SIGKILL');
  const left = await processes.untilGone(names, 10_000);
  if (left.length > 0) throw new Error(`${left.join(', ')} cannot be ended`);
  await removeCgroups(cgroupList(node));
  if (existsSync(`/sys/class/net/${node.link}`)) await run(['ip', 'link', 'delete', node.link]).catch(() => undefined);
}
