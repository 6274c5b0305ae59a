import { Agent, request } from 'undici';
import { layOut } from '../../cluster/support/cluster-layout.ts';
import { StartedProcesses } from '../../cluster/support/started-processes.ts';
import type { OwnCluster } from '../../cluster/support/start-cluster.ts';
import { cpuSecondsOf } from '../edge/process-figures.ts';

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** What the control plane has done so far. */
export interface PlaneFigures {
  /** Writes that the API server has answered, by resource and subresource. */
  readonly writes: ReadonlyMap<string, number>;
  /** Bytes that etcd has appended to its log. */
  readonly etcdBytes: number;
  /** CPU seconds. */
  readonly apiServer: number;
  readonly etcd: number;
}

/** Reads the metrics of a cluster's API server and etcd. */
export class PlaneProbe {
  readonly #own: OwnCluster;
  readonly #processes: StartedProcesses;
  readonly #etcd: string;
  readonly #agent = new Agent();

  constructor(own: OwnCluster) {
    this.#own = own;
    const { folder, etcdPorts } = layOut(own.index, 0);
    this.#processes = new StartedProcesses(folder);
    this.#etcd = `http://127.0.0.1:${etcdPorts[0]}/metrics`;
  }

  async read(): Promise<PlaneFigures> {
    const [plane, etcd] = await Promise.all([
      this.#own.cluster.api.call('GET', '/metrics').then(String),
      this.#read(this.#etcd),
    ]);
    return {
      writes: writesOf(plane),
      etcdBytes: figureOf(etcd, 'etcd_disk_wal_write_bytes_total'),
      apiServer: cpuSecondsOf([this.#pid('kube-apiserver')]),
      etcd: cpuSecondsOf([this.#pid('etcd')]),
    };
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  #pid(name: string): number {
    const pid = this.#processes.find(name);
    if (pid === undefined) throw new Error(`${name} does not run`);
    return pid;
  }

  async #read(url: string): Promise<string> {
    const { statusCode, body } = await request(url, { dispatcher: this.#agent });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${url}: ${statusCode} ${text}`);
    return text;
  }
}

/** Writes by `resource` or `resource/subresource`, of a scrape of an API server. Throws if it counts none. */
export function writesOf(scrape: string): ReadonlyMap<string, number> {
  const writes = new Map<string, number>();
  for (const [, labels = '', count = ''] of scrape.matchAll(/^apiserver_request_total\{([^}]*)\} (\S+)$/gmu)) {
    const label = (name: string): string | undefined => new RegExp(`(?:^|,)${name}="([^"]*)"`, 'u').exec(labels)?.[1];
    const [verb = '', resource = '', subresource = ''] = [label('verb'), label('resource'), label('subresource')];
    if (!WRITES.has(verb) || label('dry_run') !== '') continue;
    const name = subresource === '' ? resource : `${resource}/${subresource}`;
    const before = writes.get(name);
    writes.set(name, before === undefined ? Number(count) : before + Number(count));
  }
  if (writes.size === 0) throw new Error('the API server counts no writes');
  return writes;
}

/** Throws if there is no such figure. */
export function figureOf(scrape: string, name: string): number {
  const found = new RegExp(`^${name} (\\S+)$`, 'mu').exec(scrape)?.[1];
  if (found === undefined) throw new Error(`${name} is not measured`);
  return Number(found);
}
