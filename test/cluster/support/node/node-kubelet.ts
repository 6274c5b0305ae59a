import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '../control-plane.ts';
import { writeKubeconfig } from '../cluster-keys.ts';
import type { NodeMachine } from './node-machine.ts';
import { onMachine } from './node-machine.ts';
import type { NodeParts } from './node-parts.ts';

/** Starts the kubelet and kube-proxy of a machine. */
export async function startKubelet(machine: NodeMachine, parts: NodeParts, plane: ControlPlane): Promise<void> {
  const { node } = machine;
  const { layout, keys, programs, processes } = plane;
  const config = join(node.folder, 'kubelet.json');
  await writeFile(config, JSON.stringify(kubeletConfig(machine, plane)));
  const kubeconfig = await writeKubeconfig(layout, keys, `system:node:${node.name}`);
  const flags = [`--config=${config}`, `--kubeconfig=${kubeconfig}`, `--hostname-override=${node.name}`];
  const kubelet: [string, ...string[]] = [join(programs, 'kubelet'), ...flags, `--node-ip=${node.address}`];
  processes.start(`${node.name}-kubelet`, onMachine(machine, kubelet), parts.env);

  const proxyConfig = join(node.folder, 'kube-proxy.json');
  await writeFile(proxyConfig, JSON.stringify(await kubeProxyConfig(machine, plane)));
  const proxy: [string, ...string[]] = [join(programs, 'kube-proxy'), `--config=${proxyConfig}`];
  processes.start(`${node.name}-kube-proxy`, onMachine(machine, proxy), parts.env);
}

/** Quick where the usual periods would only make tests wait; its port is open to the cluster's own network alone. */
const kubeletConfig = ({ node }: NodeMachine, { layout, featureGates }: ControlPlane): object => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  featureGates,
  address: node.address,
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: 'AlwaysAllow' },
  containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
  cgroupDriver: 'cgroupfs',
  failCgroupV1: false,
  failSwapOn: false,
  oomScoreAdj: 0,
  protectKernelDefaults: true,
  makeIPTablesUtilChains: false,
  serializeImagePulls: false,
  imageGCHighThresholdPercent: 100,
  evictionHard: {
    'memory.available': '50Mi',
    'nodefs.available': '0%',
    'nodefs.inodesFree': '0%',
    'imagefs.available': '0%',
    'imagefs.inodesFree': '0%',
  },
  nodeStatusUpdateFrequency: '4s',
  nodeLeaseDurationSeconds: 8,
  // No DNS runs; without an address each pod would get an event that says so.
  clusterDNS: [layout.apiService.replace(/\.1$/u, '.10')],
  clusterDomain: 'cluster.local',
  resolvConf: '/etc/resolv.conf',
  volumePluginDir: join(node.folder, 'plugins'),
  kubeAPIQPS: 100,
  kubeAPIBurst: 200,
});

const kubeProxyConfig = async ({ node }: NodeMachine, { layout, keys }: ControlPlane): Promise<object> => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'nftables',
  clientConnection: { kubeconfig: await writeKubeconfig(layout, keys, 'system:kube-proxy') },
  hostnameOverride: node.name,
  clusterCIDR: '10.223.0.0/16',
  // These are settings of the machine, which are not ours to change.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  nftables: { minSyncPeriod: '100ms', masqueradeAll: true },
});
