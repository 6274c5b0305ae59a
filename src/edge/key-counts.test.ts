import assert from 'node:assert/strict';
import type { ClientRequest } from 'node:http';
import type net from 'node:net';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { anApiKey, bearer } from '../testing/api-keys.ts';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import { answer, ask, chunk, headOf, LAST_CHUNK, send, startStub, STREAM_HEAD } from '../testing/http-kit.ts';
import { testSeed } from '../testing/seed.ts';
import { KeyRing } from './key-ring.ts';

const LIMIT = 2;
const ID = 'id-of-narrow';
const headers = bearer('narrow');

/** Requests that stay until something ends them: without a replica, with half a body, before an answer, within one. */
const STAYING = ['waits', 'uploads', 'thinks', 'streams'] as const;
/** Requests that are answered at once, and with what. */
const QUICK = [
  { status: 200, method: 'GET', path: '/v1/models' },
  { status: 404, method: 'GET', path: '/nothing/here' },
  { status: 404, method: 'POST', path: '/v1/chat/completions', body: '{"model":"missing"}' },
  { status: 400, method: 'POST', path: '/v1/chat/completions', body: 'no JSON' },
] as const;
/** By whom one that stays is ended. Nobody but its client ends one that waits or uploads. */
const ENDS = ['client leaves', 'replica finishes', 'replica dies'] as const;

type Step =
  | { readonly kind: 'stay'; readonly how: (typeof STAYING)[number] }
  | { readonly kind: 'quick'; readonly what: (typeof QUICK)[number] }
  | { readonly kind: 'end'; readonly which: number; readonly how: (typeof ENDS)[number] };

interface Open {
  readonly request: ClientRequest;
  /** The replica's side, where there is one. */
  readonly socket: net.Socket | undefined;
  readonly how: (typeof STAYING)[number];
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('stay' as const), how: fc.constantFrom(...STAYING) }),
  fc.record({ kind: fc.constant('quick' as const), what: fc.constantFrom(...QUICK) }),
  fc.record({ kind: fc.constant('end' as const), which: fc.nat(LIMIT - 1), how: fc.constantFrom(...ENDS) }),
);

/** Resolves as soon as it is true, within many turns of the loop. */
async function until(isTrue: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 20_000; turn += 1) {
    if (isTrue()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(what);
}

class Scene {
  readonly #bed: EdgeBed;
  readonly #keys: KeyRing;
  readonly #served: net.Socket[];
  #open: Open[] = [];

  private constructor(bed: EdgeBed, keys: KeyRing, served: net.Socket[]) {
    this.#bed = bed;
    this.#keys = keys;
    this.#served = served;
  }

  static async start(t: TestContext): Promise<Scene> {
    const keys = new KeyRing([anApiKey('narrow', { maxInFlight: LIMIT })]);
    const bed = await startEdge(t, { keys });
    const served: net.Socket[] = [];
    const stub = await startStub(t, 'r1', (request, socket) => {
      served.push(socket);
      if (request.includes('"streams"')) socket.write(STREAM_HEAD + chunk('data: 1\n\n'));
    });
    bed.publish({ model: 'loaded', replicas: [stub.replica] }, { model: 'unloaded', maxWaiting: 1000 });
    return new Scene(bed, keys, served);
  }

  async do(step: Step): Promise<void> {
    const isFull = this.#open.length === LIMIT;
    if (step.kind === 'quick') {
      const { status, ...request } = step.what;
      assert.equal((await ask(this.#bed, { ...request, headers })).status, isFull ? 429 : status);
    } else if (step.kind === 'end') await this.#end(step.which, step.how);
    else if (isFull) {
      assert.equal((await ask(this.#bed, { headers, body: '{"model":"loaded"}' })).status, 429);
    } else await this.#stay(step.how);
    await this.#counted();
  }

  async endAll(): Promise<void> {
    while (this.#open.length > 0) await this.#end(0, 'client leaves');
    await this.#counted();
    this.#bed.assertIdle();
  }

  async #counted(): Promise<void> {
    const open = this.#open.length;
    await until(
      () => this.#keys.underWay(ID) === open,
      `${this.#keys.underWay(ID)} are counted, and ${open} are under way`,
    );
  }

  async #stay(how: Open['how']): Promise<void> {
    const served = this.#served.length;
    const [model, length] = [how === 'waits' ? 'unloaded' : 'loaded', how === 'uploads' ? 1000 : undefined];
    const body = JSON.stringify({ how, model });
    const request = send(this.#bed, {
      headers: { ...headers, 'content-length': length ?? Buffer.byteLength(body) },
      body,
    });
    request.on('error', () => undefined);
    if (how === 'streams') {
      const response = await headOf(request);
      response.on('error', () => undefined).resume();
    }
    if (how === 'thinks') await until(() => this.#served.length > served, 'it has not reached its replica');
    this.#open.push({ request, socket: this.#served[served], how });
  }

  async #end(which: number, how: (typeof ENDS)[number]): Promise<void> {
    const chosen = this.#open[which];
    if (chosen === undefined) return;
    this.#open = this.#open.filter((one) => one !== chosen);
    const { request, socket } = chosen;
    if (socket === undefined || how === 'client leaves') request.destroy();
    else if (how === 'replica dies') socket.destroy();
    else socket.end(chosen.how === 'streams' ? LAST_CHUNK : answer('{}'));
    await Promise.resolve();
  }
}

test('what a key has under way is counted once each, from being let in to its end, however it ends', async (t) => {
  const scene = await Scene.start(t);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      for (const one of steps) await scene.do(one);
      await scene.endAll();
    }),
    { seed: testSeed(), numRuns: 40 },
  );
});
