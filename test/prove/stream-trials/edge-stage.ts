import assert from 'node:assert/strict';
import { presetUid, type ReplicaId } from '../../../src/domain/ids.ts';
import type { EndedRequest } from '../../../src/domain/ended-request.ts';
import type { EdgeLimits } from '../../../src/edge/limits.ts';
import { replicaAt } from '../../../src/testing/http-kit.ts';
import type { ReadyReplica } from '../../../src/routing/route.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import { startLeanEdge, type LeanEdge } from './lean-edge.ts';
import { startStubServer, type StubServer } from './stub-server.ts';

/** A model of its own with a replica of its own, on which one trial runs after the other. */
export class Lane {
  readonly model: string;
  readonly stub: StubServer;
  readonly edge: LeanEdge;
  readonly #republish: () => void;
  readonly #replica: ReadyReplica;
  #isReady = true;
  #onWaiter: (() => void) | undefined;
  #onEnd: ((request: EndedRequest) => void) | undefined;

  constructor(index: number, stub: StubServer, edge: LeanEdge, republish: () => void) {
    this.model = `model-${index}`;
    this.stub = stub;
    this.edge = edge;
    this.#republish = republish;
    this.#replica = replicaAt(`replica-${index}`, stub.port);
  }

  get replicas(): readonly ReadyReplica[] {
    return this.#isReady ? [this.#replica] : [];
  }

  /** Publishes whether its model is loaded. */
  setReady(isReady: boolean): void {
    this.#isReady = isReady;
    this.#republish();
  }

  /** Resolves when its next request waits. */
  async waiter(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#onWaiter = () => {
      resolve(undefined);
    };
    return promise;
  }

  /** Resolves when its next request has ended. */
  async end(): Promise<EndedRequest> {
    const { promise, resolve } = Promise.withResolvers<EndedRequest>();
    this.#onEnd = resolve;
    return promise;
  }

  ended(request: EndedRequest): void {
    this.#onEnd?.(request);
  }

  look(): void {
    if (this.edge.ledger.demand(presetUid(`uid-${this.model}`)) !== undefined) this.#onWaiter?.();
  }

  assertFree(): void {
    const { ledger } = this.edge;
    const { id }: { readonly id: ReplicaId } = this.#replica;
    assert.equal(ledger.inFlight(id), 0, 'it is counted in flight');
    assert.equal(ledger.demand(presetUid(`uid-${this.model}`)), undefined, 'it is counted as waiting');
  }
}

/** An edge in this process, with room for as many requests as there are lanes: one that is not freed leaves no room for another. */
export async function setEdgeStage(t: Cleanup, width: number, limits: Partial<EdgeLimits>): Promise<readonly Lane[]> {
  const lanes = new Map<string, Lane>();
  const edge = await startLeanEdge(
    { ...limits, maxInFlight: width, maxWaiting: width, maxHeldBytes: width * 256, maxBodyBytes: 256 },
    {
      ended: (request) => {
        if (request.model !== undefined) lanes.get(request.model)?.ended(request);
      },
    },
  );
  t.after(async () => {
    edge.edge.server.closeAllConnections();
    await edge.edge.shutdown();
  });
  const republish = (): void => {
    edge.publish([...lanes.values()].map(({ model, replicas }) => ({ model, replicas })));
  };
  edge.ledger.onChange((change) => {
    if (change === 'demand') for (const lane of lanes.values()) lane.look();
  });
  for (let index = 0; index < width; index += 1) {
    const lane = new Lane(index, await startStubServer(t), edge, republish);
    lanes.set(lane.model, lane);
  }
  republish();
  return [...lanes.values()];
}
