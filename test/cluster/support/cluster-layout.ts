import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How many clusters fit beside each other on a machine: their networks are numbered. */
export const MOST_CLUSTERS = 60;

/** Where one cluster's parts lie: folders, ports and networks. All of it follows from its number. */
export interface ClusterLayout {
  readonly index: number;
  /** Everything on disk. */
  readonly folder: string;
  /** etcd's data: in memory, because nothing of it is to be kept. */
  readonly etcdFolder: string;
  readonly etcdPorts: readonly [client: number, peer: number];
  /** Where the API server listens: on the bridge that nodes and pods reach, or on loopback where there are no nodes. */
  readonly apiHost: string;
  readonly apiPort: number;
  readonly bridge: string;
  readonly serviceNetwork: string;
  /** The first address of the service network, which the API server gives to its own service. */
  readonly apiService: string;
  readonly nodes: readonly NodeLayout[];
}

/** A node: a machine made of namespaces. */
export interface NodeLayout {
  readonly name: string;
  readonly folder: string;
  readonly address: string;
  readonly podNetwork: string;
  /** The end of its cable that the bridge holds. */
  readonly link: string;
}

export const clustersFolder = (): string => join(tmpdir(), 'corral-clusters');

/** The layout of cluster `index` with so many nodes. */
export function layOut(index: number, nodes: number): ClusterLayout {
  const folder = join(clustersFolder(), String(index));
  const apiHost = nodes > 0 ? `10.222.${index}.1` : '127.0.0.1';
  return {
    index,
    folder,
    etcdFolder: `/dev/shm/corral-cluster-${index}`,
    etcdPorts: [24_600 + 2 * index, 24_601 + 2 * index],
    apiHost,
    apiPort: nodes > 0 ? 6443 : 26_443 + index,
    bridge: `crl${index}`,
    serviceNetwork: `10.224.${index}.0/24`,
    apiService: `10.224.${index}.1`,
    nodes: Array.from({ length: nodes }, (_, at) => layOutNode(index, at + 1, folder)),
  };
}

const layOutNode = (index: number, number: number, folder: string): NodeLayout => ({
  name: `n${number}`,
  folder: join(folder, `n${number}`),
  address: `10.222.${index}.${10 + number}`,
  podNetwork: `10.223.${4 * index + number}.0/24`,
  link: `crl${index}n${number}`,
});
