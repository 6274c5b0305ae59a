import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeLayout } from '../cluster-layout.ts';
import { run } from '../run.ts';
import type { StartedProcesses } from '../started-processes.ts';
import { waitUntil } from '../wait-until.ts';
import type { NodeMachine } from './node-machine.ts';
import { onMachine } from './node-machine.ts';
import type { NodeParts } from './node-parts.ts';

/** The image that each pod's sandbox is made of. */
export const PAUSE_IMAGE = 'corral.test/pause:v1';

/** Starts containerd on a machine, and resolves when it answers. */
export async function startContainerd(
  machine: NodeMachine,
  parts: NodeParts,
  processes: StartedProcesses,
): Promise<void> {
  const { node } = machine;
  await mkdir(join(node.folder, 'cni'), { recursive: true });
  await writeFile(join(node.folder, 'cni', '10-pods.conflist'), JSON.stringify(podNetwork(node)));
  const config = join(node.folder, 'containerd.toml');
  await writeFile(config, containerdConfig(node, parts));
  processes.start(`${node.name}-containerd`, onMachine(machine, [parts.containerd, '--config', config]), parts.env);
  const answers = async (): Promise<boolean> => {
    if (processes.find(`${node.name}-containerd`) === undefined) throw new Error(`containerd has ended:\n${processes.lastLines(`${node.name}-containerd`)}`); // prettier-ignore
    return ctr(machine, parts, ['version']).then(
      () => true,
      () => false,
    );
  };
  await waitUntil(`containerd on ${node.name}`, 30, answers, () => processes.lastLines(`${node.name}-containerd`));
}

/** Without masquerading: a server sees which pod calls. */
const podNetwork = (node: NodeLayout): object => ({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      hairpinMode: true,
      ipMasq: false,
      ipam: { type: 'host-local', ranges: [[{ subnet: node.podNetwork }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
  ],
});

/**
 * `restrict_oom_score_adj`: root may lack CAP_SYS_RESOURCE, and then no sandbox could be started with the score that
 * Kubernetes wants for it.
 */
const containerdConfig = (node: NodeLayout, parts: NodeParts): string => `version = 3
disabled_plugins = ["io.containerd.internal.v1.opt"]
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${PAUSE_IMAGE}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["${parts.cniFolder}"]
  conf_dir = "${join(node.folder, 'cni')}"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  BinaryName = "${parts.runc}"
  SystemdCgroup = false
`;

const ctr = async (machine: NodeMachine, parts: NodeParts, args: readonly string[]): Promise<string> =>
  run(onMachine(machine, [parts.ctr, '--namespace=k8s.io', ...args]), { env: parts.env });

/** Gives a machine the image in an OCI archive. One at a time: containerd refuses two at once. */
export async function importImage(machine: NodeMachine, parts: NodeParts, archive: string): Promise<void> {
  await ctr(machine, parts, ['images', 'import', archive]);
}

/** Whether a machine has an image of this name. */
export async function hasImage(machine: NodeMachine, parts: NodeParts, reference: string): Promise<boolean> {
  return (await ctr(machine, parts, ['images', 'list', '--quiet', `name==${reference}`])).trim() === reference;
}
