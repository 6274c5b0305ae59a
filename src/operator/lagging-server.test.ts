import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { MODEL_DEPLOYMENTS, PODS } from '../api/cluster/resources.ts';
import { readPath } from '../api/field-path.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { FakeRequest } from '../testing/fake-api-request.ts';
import { LEASES } from '../testing/kube-testbed.ts';
import { declare, gateOf, phaseIs, report, startBed, startOperator, type ModelSaid } from '../testing/operator-bed.ts';
import type { OperatorBed } from '../testing/operator-bed.ts';
import type { Operator } from './operator.ts';
import { testSeed } from '../testing/seed.ts';

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];
const KINDS = ['modeldeployments', 'modelpools', 'namespaces', 'pods', 'edgereports'];

type Step =
  /** All watches go on at another API server, which is so many versions behind. */
  | { readonly kind: 'hop'; readonly behind: number }
  /** The watches of one kind alone do. */
  | { readonly kind: 'hop-one'; readonly plural: string; readonly behind: number }
  | { readonly kind: 'catch-up' | 'crash' | 'restart' | 'hold-ends' | 'let-go' }
  /** Requests begin wherever they can; they end, and the edge hears of gates again; it does not. */
  | { readonly kind: 'begin' | 'end' | 'deafen' }
  /** Somebody waits for a model from now on, and for no other; the same, and it is removed, of which the server that is asked does not know. */
  | { readonly kind: 'want' | 'edit' | 'remove'; readonly name: Name };

const name = fc.constantFrom(...NAMES);
/** In versions. */
const MOST_BEHIND = 12;
const behind = fc.nat({ max: MOST_BEHIND });
const step: fc.Arbitrary<readonly [Step, number]> = fc.tuple(
  fc.oneof<fc.MaybeWeightedArbitrary<Step>[]>(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('want' as const), name }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('hop' as const), behind }) },
    fc.record({ kind: fc.constant('hop-one' as const), plural: fc.constantFrom(...KINDS), behind }),
    fc.constantFrom('catch-up', 'crash', 'restart', 'hold-ends', 'let-go').map((kind) => ({ kind })),
    { weight: 4, arbitrary: fc.constantFrom('deafen', 'begin', 'begin', 'end').map((kind) => ({ kind })) },
    fc.record({ kind: fc.constant('remove' as const), name: fc.constantFrom('b' as const, 'c' as const) }),
    fc.record({ kind: fc.constant('edit' as const), name }),
  ),
  // How many turns of the event loop pass afterwards.
  fc.nat({ max: 300 }),
);

const hasEnded = (pod: KubeObject): boolean => ['Failed', 'Succeeded'].includes(String(readPath(pod, ['status', 'phase']))); // prettier-ignore
const ownerOf = (pod: KubeObject): string | undefined => pod.metadata.ownerReferences?.[0]?.name;
const isReady = (pod: KubeObject): boolean => JSON.stringify(pod).includes('"Ready","status":"True"');

/** An edge that knows everything at once but for gates while it is deaf, and a witness of each call that the operator makes. */
class Scene {
  readonly #bed: OperatorBed;
  /** The pods that have a request in flight. */
  readonly #busy = new Set<string>();
  /** What the last look at a ModelDeployment by quorum has shown: its uid, if there is one. */
  readonly #looks = new Map<string, string | undefined>();
  /** Of each pod, as the edge has heard last. */
  readonly #gates = new Map<string, string>();
  #isDeaf = false;
  #wanted: Name | undefined;
  #judged = 0;
  #said = '';

  constructor(bed: OperatorBed) {
    this.#bed = bed;
  }

  want(wanted: Name | undefined): void {
    this.#wanted = wanted;
  }

  /** A request goes to each pod that takes one, as far as the edge has heard. */
  begin(): void {
    for (const { metadata } of this.#pods().filter(isReady)) {
      if (this.#gates.get(metadata.uid)?.startsWith('open/') === true) this.#busy.add(metadata.uid);
    }
  }

  end(): void {
    this.#busy.clear();
  }

  /** The edge hears of no gate any more that closes or opens. */
  deafen(): void {
    this.#isDeaf = true;
  }

  hear(): void {
    this.#isDeaf = false;
  }

  /** What was broken of what must hold. */
  readonly broken: string[] = [];

  /** To be called after each call and each change. Returns whether all is over. */
  look(): boolean {
    try {
      const { requests } = this.#bed.server;
      for (; this.#judged < requests.length; this.#judged += 1) this.#judge(requests[this.#judged]);
      this.#count();
      if (!this.#isDeaf) for (const pod of this.#pods()) this.#gates.set(pod.metadata.uid, String(gateOf(pod)));
      this.#report();
    } catch (error) {
      this.broken.push(String(error));
    }
    return this.broken.length > 0;
  }

  serves(of: Name): boolean {
    return (
      this.#pods().some((pod) => ownerOf(pod) === of && isReady(pod) && isOpen(pod)) &&
      phaseIs(this.#bed.server, of, 'Ready')()
    );
  }

  #count(): void {
    const living = this.#pods().filter((pod) => !hasEnded(pod));
    assert.ok(
      living.length <= 1,
      `more pods than there is room for: ${living.map(({ metadata }) => metadata.name).join()}`,
    );
  }

  #judge(request: FakeRequest | undefined): void {
    const what = `${request?.verb} ${request?.resource.plural}`;
    if (request === undefined || request.query.has('dryRun')) return;
    if (what === 'get modeldeployments')
      this.#looks.set(request.name, this.#bed.server.find(MODEL_DEPLOYMENTS, 'ml', request.name)?.metadata.uid);
    if (what === 'create pods') this.#judgeCreation(request);
    if (what === 'delete pods') this.#judgeDeletion(request);
  }

  #judgeCreation({ body }: FakeRequest): void {
    const owner = readPath(body, ['metadata', 'ownerReferences', 0]);
    const [of, uid] = [readPath(owner, ['name']), readPath(owner, ['uid'])];
    assert.equal(this.#looks.get(String(of)), uid, 'a pod for what was gone when it was looked at');
  }

  #judgeDeletion({ name: of, body }: FakeRequest): void {
    const { uid, resourceVersion } = Object(readPath(body, ['preconditions'])) as Record<string, unknown>;
    const pod = this.#pods().find(({ metadata }) => metadata.name === of && metadata.uid === uid);
    // What is not as it says is refused by the API server.
    if (pod === undefined || hasEnded(pod)) return;
    if (resourceVersion !== undefined && pod.metadata.resourceVersion !== resourceVersion) return;
    assert.ok(!isOpen(pod), 'a pod is deleted whose gate is open');
    assert.ok(!this.#busy.has(pod.metadata.uid), 'a pod is deleted that has a request in flight');
  }

  /** What the edge says now, unless it has said just that. */
  #report(): void {
    const pods = this.#pods();
    const models: Record<string, ModelSaid> = {};
    for (const of of NAMES) {
      const at = pods.filter((pod) => ownerOf(pod) === of && this.#busy.has(pod.metadata.uid));
      const waiting = of === this.#wanted && !pods.some((pod) => ownerOf(pod) === of && isReady(pod) && isOpen(pod));
      models[of] = { waiting: waiting ? 1 : 0, inFlight: at.length, at: at.map(({ metadata }) => metadata.uid) };
    }
    const acks = pods.flatMap(({ metadata: { uid: podUid } }) => {
      const [state, epoch] = String(this.#gates.get(podUid)).split('/');
      return state === 'closed' ? [{ podUid, epoch: Number(epoch) }] : [];
    });
    const said = JSON.stringify([models, acks]);
    if (said === this.#said) return;
    this.#said = said;
    report(this.#bed.server, { models, acks });
  }

  #pods(): readonly KubeObject[] {
    return this.#bed.server.objects(PODS);
  }
}

const isOpen = (pod: KubeObject): boolean => gateOf(pod)?.startsWith('open/') === true;

/** Carries out one step. */
type Acts = { readonly [Kind in Step['kind']]: (step: Step & { readonly kind: Kind }) => void | Promise<void> };

function actsIn(t: TestContext, bed: OperatorBed, scene: Scene, operators: Operator[]): Acts {
  const { server, kubelet } = bed;
  let edits = 0;
  const lettingGo: (() => void)[] = [];
  return {
    hop: ({ behind: versions }) => {
      server.lag(versions);
      for (const plural of KINDS) server.breakWatches(plural, 'fin');
    },
    'hop-one': ({ behind: versions, plural }) => {
      server.lag(versions);
      server.breakWatches(plural, 'fin');
    },
    'catch-up': () => {
      server.catchUp();
    },
    want: ({ name: of }) => {
      scene.want(of);
    },
    begin: () => {
      scene.begin();
    },
    deafen: () => {
      scene.deafen();
    },
    end: () => {
      scene.end();
      scene.hear();
    },
    crash: () => {
      for (const { metadata } of server.objects(PODS)) kubelet.crash(metadata.uid);
    },
    'hold-ends': () => {
      lettingGo.push(kubelet.holdEnds());
    },
    'let-go': () => {
      lettingGo.pop()?.();
    },
    restart: async () => {
      await operators.pop()?.stop();
      operators.push(await startOperator(t, bed));
    },
    edit: ({ name: of }) => {
      edits += 1;
      if (server.find(MODEL_DEPLOYMENTS, 'ml', of) !== undefined)
        declare(server, of, { args: [`--parallel=${edits + 1}`] });
    },
    remove: ({ name: of }) => {
      server.lag(MOST_BEHIND);
      server.breakWatches('modeldeployments', 'fin');
      scene.want(of);
      server.finishDeletion(`${of}-uid`);
    },
  };
}

async function run(t: TestContext, steps: readonly (readonly [Step, number])[]): Promise<void> {
  const bed = await startBed(t);
  const { server } = bed;
  const scene = new Scene(bed);
  for (const of of NAMES) declare(server, of);
  void server.until(() => scene.look());
  const operators = [await startOperator(t, bed)];
  const acts = actsIn(t, bed, scene, operators);
  for (const [next, pause] of steps) {
    await (acts[next.kind] as (step: Step) => void | Promise<void>)(next);
    scene.look();
    for (let turn = 0; turn < pause; turn += 1) {
      // What else is written in a cluster: by it a server that is behind comes on.
      if (turn % 20 === 0) server.put(LEASES, { metadata: { name: 'noise', namespace: 'ml' }, spec: { turn } });
      await new Promise(setImmediate);
    }
  }
  server.catchUp();
  bed.kubelet.holdEnds()();
  scene.end();
  scene.hear();
  scene.want('a');
  scene.look();
  await server.until(() => scene.broken.length > 0 || scene.serves('a'));
  assert.deepEqual(scene.broken, []);
  await operators[0]?.stop();
}

it('with an API server beside that lags, no second pod is made, nothing is deleted that is used, and in the end all is as it should be', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 40 }), async (steps) => {
      await t.test('steps', async (one) => run(one, steps));
    }),
    { numRuns: 20, seed: testSeed() },
  );
});
