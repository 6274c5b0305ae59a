import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import Type from 'typebox';
import { Value } from 'typebox/value';
import type { ApiObject } from '../../cluster/support/api-client.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { PodRuns } from '../operator-trials/paper-kubelet.ts';
import { answerOf, readQuestion, streamOf, type Question } from './stub-answer.ts';

const PORT = 8080;
const SLOTS = 16;
/** Up to this grace, in seconds, a pod is ended at once, as by a kubelet whose preStop hook has no time. */
const SHORT_GRACE = 5;
/** As the guard in a pod of Corral's does, but for the length of it, unless it is given: the pod ends when no slot was busy for so long. */
const QUIET_MS = 500;
const LOOK_EVERY_MS = 50;

const PodSpec = Type.Object({
  containers: Type.Array(Type.Object({ name: Type.String(), args: Type.Optional(Type.Array(Type.String())) }), {
    minItems: 1,
  }),
});

/** One stub of a llama-server, at an address of its own. */
interface Stub {
  readonly address: string;
  /** `undefined`: the pod is no model's, and nothing listens. */
  readonly server: Server | undefined;
  /** Requests that have come. */
  served: number;
  busy: number;
  busyUntil: number;
}

/** Stubs of llama-servers for the pods of models: each answers below its pod's secret path only, and says what its slots do. */
export class StubPods implements PodRuns {
  readonly #network: string;
  readonly #quietMs: number;
  readonly #stubs = new Map<string, Promise<Stub>>();
  readonly #generated = new Set<string>();
  /** One sentence for each thing that must not happen to a pod. */
  readonly faults: string[] = [];
  /** Pods of models that have ended without a request. */
  unused = 0;
  #addresses = 0;

  /** `index`: of the cluster; each has loopback addresses of its own. `quietMs`: how long the guard of a pod waits. */
  constructor(t: Cleanup, index: number, quietMs = QUIET_MS) {
    this.#network = `127.${161 + index}`;
    this.#quietMs = quietMs;
    t.after(async () => {
      for (const stub of this.#stubs.values()) close(await stub);
    });
  }

  readonly start = async (pod: ApiObject): Promise<readonly object[]> => {
    const { uid } = pod.metadata;
    const known = this.#stubs.get(uid);
    const starting = known === undefined ? this.#open(pod) : known;
    this.#stubs.set(uid, starting);
    const { address } = await starting;
    return [false, true].map((ready) => statusOf(pod, address, ready));
  };

  readonly end = async ({ metadata }: ApiObject): Promise<void> => {
    const stub = await this.#stubs.get(metadata.uid);
    if (stub === undefined) return;
    if (graceOf(metadata) > SHORT_GRACE) await untilQuiet(stub, this.#quietMs);
    if (stub.busy > 0) this.faults.push(`${metadata.name} was ended while ${stub.busy} of its slots were busy`);
    if (stub.server !== undefined && stub.served === 0) this.unused += 1;
    close(stub);
    this.#stubs.delete(metadata.uid);
  };

  /** How many requests have reached a model. */
  get generations(): number {
    return this.#generated.size;
  }

  async #open(pod: ApiObject): Promise<Stub> {
    this.#addresses += 1;
    const address = `${this.#network}.${Math.floor(this.#addresses / 250)}.${1 + (this.#addresses % 250)}`;
    const prefix = pod.metadata.annotations?.['corral.dev/prefix'];
    if (prefix === undefined) return { address, server: undefined, served: 0, busy: 0, busyUntil: 0 };
    const alias = aliasOf(pod);
    const server = createServer((request, response) => {
      this.#serve(stub, { prefix, alias }, request, response).catch((error: unknown) => {
        this.faults.push(`${pod.metadata.name} could not answer: ${String(error)}`);
        response.destroy();
      });
    });
    const stub: Stub = { address, server, served: 0, busy: 0, busyUntil: 0 };
    server.listen(PORT, address);
    await once(server, 'listening');
    return stub;
  }

  async #serve(
    stub: Stub,
    { prefix, alias }: { readonly prefix: string; readonly alias: string },
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { method, url } = request;
    if (method === 'POST' && url === `${prefix}/v1/chat/completions`) {
      await this.#answer(stub, alias, readQuestion(await text(request)), response);
      return;
    }
    const looks = new Map<string, unknown>([
      ['/health', { status: 'ok' }],
      ['/v1/models', { object: 'list', data: [{ id: alias, object: 'model' }] }],
      ['/slots', slotsOf(stub)],
    ]);
    const look = url?.startsWith(prefix) === true ? looks.get(url.slice(prefix.length)) : undefined;
    response.writeHead(look === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(look === undefined ? { error: { message: 'not here' } } : look));
  }

  async #answer(stub: Stub, alias: string, question: Question, response: ServerResponse): Promise<void> {
    if (this.#generated.has(question.id)) this.faults.push(`${question.id} was generated twice`);
    this.#generated.add(question.id);
    stub.busy += 1;
    stub.served += 1;
    response.once('close', () => {
      stub.busy -= 1;
      stub.busyUntil = performance.now();
    });
    const parts = question.stream ? streamOf(question, alias) : [answerOf(question, alias)];
    const type = question.stream ? 'text/event-stream' : 'application/json';
    const pause = question.stream ? question.pause : question.pause * question.tokens;
    for (const [index, part] of parts.entries()) {
      if (index < parts.length - 1 || !question.stream) await delay(pause);
      if (response.destroyed) return;
      if (index === 0) response.writeHead(200, { 'content-type': type });
      response.write(part);
    }
    response.end();
  }
}

function close({ server }: Stub): void {
  server?.close();
  server?.closeAllConnections();
}

async function untilQuiet(stub: Stub, quietMs: number): Promise<void> {
  const began = performance.now();
  while (stub.busy > 0 || performance.now() - Math.max(began, stub.busyUntil) < quietMs) await delay(LOOK_EVERY_MS);
}

const slotsOf = ({ busy }: Stub): readonly object[] =>
  Array.from({ length: Math.max(SLOTS, busy) }, (_, id) => ({ id, is_processing: id < busy }));

const firstContainer = ({ spec }: ApiObject): { readonly name: string; readonly args?: readonly string[] } => {
  const [first] = Value.Parse(PodSpec, spec).containers;
  if (first === undefined) throw new Error('a pod without containers');
  return first;
};

function aliasOf(pod: ApiObject): string {
  const { args = [] } = firstContainer(pod);
  const alias = args[args.indexOf('--alias') + 1];
  if (alias === undefined) throw new Error(`${pod.metadata.name} has no --alias`);
  return alias;
}

function graceOf(metadata: ApiObject['metadata']): number {
  return 'deletionGracePeriodSeconds' in metadata ? Number(metadata.deletionGracePeriodSeconds) : 0;
}

function statusOf(pod: ApiObject, address: string, ready: boolean): object {
  const now = new Date().toISOString();
  const { name } = firstContainer(pod);
  return {
    phase: 'Running',
    podIP: address,
    podIPs: [{ ip: address }],
    conditions: [
      { type: 'PodScheduled', status: 'True', lastTransitionTime: now },
      { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: now },
    ],
    containerStatuses: [
      {
        ...{ name, image: 'stub', imageID: '', restartCount: 0, ready, started: true },
        state: { running: { startedAt: now } },
      },
    ],
  };
}
