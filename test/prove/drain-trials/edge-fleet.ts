import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiObject } from '../../cluster/support/api-client.ts';
import { SYSTEM } from '../../cluster/support/corral-names.ts';
import type { TestCluster } from '../../cluster/support/test-cluster.ts';
import { waitUntil } from '../../cluster/support/wait-until.ts';
import { tempFolder, type Cleanup } from '../../support/temp-folder.ts';
import type { Mirror } from '../operator-trials/mirror.ts';
import { CorralProcess } from '../operator-trials/operator-process.ts';
import { componentToken } from '../../cluster/support/create-token.ts';
import { makeSystemPod } from './system-pods.ts';

/** An edge that is told to end serves on for so long: clients have to hear of it within that. */
export const SHUTDOWN_DELAY_MS = 3_000;
const PATIENCE = 60;

/** An edge in a process of its own, with a pod, an address and a token as one in a cluster has. */
export interface Edge {
  readonly pod: ApiObject;
  readonly host: string;
  readonly url: string;
  readonly apiServer: string;
  readonly tokenFile: string;
  /** Of Node, before the program. */
  readonly nodeFlags: readonly string[];
}

export interface EdgeFleetParts {
  readonly cluster: TestCluster;
  readonly pods: Mirror;
  readonly program: readonly string[];
}

/** Places for edges, each with one that serves its clients. */
export class EdgeFleet {
  readonly #t: Cleanup;
  readonly #parts: EdgeFleetParts;
  readonly #folder: string;
  readonly #places: Edge[] = [];
  readonly #processes = new Map<Edge, CorralProcess>();
  readonly #serving = new Set<CorralProcess>();
  #made = 0;

  private constructor(t: Cleanup, parts: EdgeFleetParts, folder: string) {
    this.#t = t;
    this.#parts = parts;
    this.#folder = folder;
  }

  /** `ways`: to the API server, one for each place. Resolves when an edge serves in each. */
  static async start(t: Cleanup, parts: EdgeFleetParts, ways: readonly string[]): Promise<EdgeFleet> {
    const fleet = new EdgeFleet(t, parts, await tempFolder(t));
    const edges = await Promise.all(ways.map(async (way) => fleet.make(way)));
    for (const [place, edge] of edges.entries()) fleet.put(place, edge);
    return fleet;
  }

  get size(): number {
    return this.#places.length;
  }

  /** The edges that clients use, in the order of their places. */
  get all(): readonly Edge[] {
    return this.#places;
  }

  /** The edge that the clients of a place use. */
  at(place: number): Edge {
    const edge = this.#places[place];
    if (edge === undefined) throw new Error(`there is no edge in place ${place}`);
    return edge;
  }

  /** Where the clients of a place send what they ask; `undefined`: nowhere, the edge is gone, or not there again. */
  doorOf(place: number): string | undefined {
    const edge = this.at(place);
    const process = this.processOf(edge);
    return process.isRunning && this.#serving.has(process) ? edge.url : undefined;
  }

  /** The clients of a place use this one from now on. */
  put(place: number, edge: Edge): void {
    this.#places[place] = edge;
  }

  /** Starts an edge that no client uses yet, and resolves when it is ready. `apiServer`: as it reaches it. */
  async make(apiServer: string, nodeFlags: readonly string[] = []): Promise<Edge> {
    const { cluster, pods } = this.#parts;
    this.#made += 1;
    const name = `edge-${this.#made}`;
    const pod = await makeSystemPod(cluster, pods, { name, component: 'edge' });
    const tokenFile = join(this.#folder, `${name}.token`);
    await writeFile(tokenFile, await componentToken(cluster.api, 'edge', pod), { mode: 0o600 });
    const host = addressOf(pod);
    const edge: Edge = { pod, host, url: `http://${host}:8080`, apiServer, tokenFile, nodeFlags };
    await this.restart(edge);
    return edge;
  }

  processOf(edge: Edge): CorralProcess {
    const process = this.#processes.get(edge);
    if (process === undefined) throw new Error(`${edge.pod.metadata.name} was never started`);
    return process;
  }

  /** Starts its process, or starts it anew in its pod, as a kubelet does. Resolves when it is ready. */
  async restart(edge: Edge): Promise<void> {
    const process = new CorralProcess(this.#t, this.#command(edge));
    this.#processes.set(edge, process);
    const isServing = async (): Promise<boolean> => {
      if (!process.isRunning) throw new Error(`${edge.pod.metadata.name} has ended: ${(await process.exited).stderr}`);
      const answer = await fetch(`http://${edge.host}:8081/readyz`).catch(() => undefined);
      await answer?.arrayBuffer();
      return answer?.status === 200;
    };
    await waitUntil(`${edge.pod.metadata.name} is ready`, PATIENCE, isServing);
    this.#serving.add(process);
  }

  /** The edge has ended: its pod goes. */
  async bury({ pod }: Edge): Promise<void> {
    const path = `/api/v1/namespaces/${SYSTEM}/pods/${pod.metadata.name}`;
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 };
    await this.#parts.cluster.api.call('DELETE', path, body);
  }

  #command({ pod, host, apiServer, tokenFile, nodeFlags }: Edge): ConstructorParameters<typeof CorralProcess>[1] {
    const { program, cluster } = this.#parts;
    const [node = '', ...corral] = program;
    const { name, uid } = pod.metadata;
    const listening = ['--host', host, '--port', '8080', '--admin-port', '8081'];
    const api = ['--api-server', apiServer, '--api-token-file', tokenFile, '--api-ca-file', cluster.caFile];
    const rest = ['--shutdown-delay', `${SHUTDOWN_DELAY_MS}ms`, '--log-level', 'warn'];
    return {
      argv: [node, ...nodeFlags, ...corral, 'edge', ...listening, ...api, ...rest],
      env: { POD_NAME: name, POD_NAMESPACE: SYSTEM, POD_UID: uid },
    };
  }
}

function addressOf({ metadata, status }: ApiObject): string {
  if (typeof status === 'object' && status !== null && 'podIP' in status) return String(status.podIP);
  throw new Error(`${metadata.name} has no address`);
}
