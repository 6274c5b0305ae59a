import type { BinName } from '../../../../src/domain/ids.ts';
import type { Pool } from '../../../../src/domain/pool.ts';
import type { Preset } from '../../../../src/domain/preset.ts';
import type { DrainCause, FailureCode, Replica } from '../../../../src/domain/replica.ts';
import { amountOf } from '../../../../src/domain/resources.ts';
import type { Instant } from '../../../../src/domain/units.ts';
import type { Declarations } from './declarations.ts';
import { KeptRoom } from './kept-room.ts';
import type { Witness } from './physical-backend.ts';
import type { ReportedActivity } from './reported-activity.ts';
import type { Traffic } from './traffic.ts';
import { isThere, takesRoom } from './truth.ts';
import type { Wants } from './wants.ts';

/** Of these reasons to drain the planner chooses whom, and chooses nobody of whom it knows too little. */
const CHOSEN: ReadonlySet<DrainCause['kind']> = new Set(['idle', 'surplus', 'evicted', 'fairness', 'capacity']);

/** What a referee looks at. */
export interface Facts {
  readonly declarations: Declarations;
  readonly traffic: Traffic;
  readonly source: ReportedActivity;
  readonly wants: Wants;
  readonly now: () => Instant;
  readonly onDeath: Witness['onDeath'];
}

/** It is there for somebody, or it goes only because it is to be replaced. */
const isStanding = (replica: Replica): boolean =>
  isThere(replica) || ('cause' in replica.state && replica.state.cause.kind === 'changed');

/** Compares every order with the truth, when it is given. */
export class Referee implements Witness {
  readonly #facts: Facts;
  /** One sentence for each order that must not have been given. */
  readonly violations: string[] = [];
  readonly #kept: KeptRoom;

  constructor(facts: Facts) {
    this.#facts = facts;
    this.#kept = new KeptRoom(facts.declarations);
  }

  /** Something has happened after which nothing need be kept for anybody. */
  restart(): void {
    this.#kept.keepOnly(new Set());
  }

  /** Nothing need be kept for those for whom nobody waits. */
  settle(): void {
    this.#kept.keepOnly(this.#facts.traffic.held);
  }

  onStart(preset: Preset, bin: BinName, replicas: readonly Replica[]): void {
    const { declarations } = this.#facts;
    const pool = declarations.findPool(preset.pool);
    this.#expect(declarations.find(preset.uid) === preset, `${preset.uid} is started, but not declared as such`);
    this.#expect(pool?.paused === false, `${preset.uid} is started in a pool that is missing or paused`);
    if (pool !== undefined) this.#checkRoom(preset, pool, bin, replicas);
    const isTooEarly = this.#facts.wants.isTooEarly(preset, this.#facts.now());
    this.#expect(!isTooEarly, `${preset.uid} is started again right after a failed load`);
    const own = replicas.filter((one) => one.preset === preset.uid && takesRoom(one));
    const same = own.filter((one) => isThere(one) && one.rendered === preset.rendered && one.pool === preset.pool);
    const { maxReplicas } = preset.scaling;
    this.#expect(same.length < maxReplicas, `${preset.uid} is started beside ${same.length} like it`);
    this.#expect(own.length <= maxReplicas, `${preset.uid} is started while ${own.length} of it hold capacity`);
    if (!own.some(isStanding)) this.#checkWish(preset);
    this.settle();
    for (const uid of this.#kept.whoLoses(preset, bin, replicas)) {
      this.violations.push(`${preset.uid} takes what others leave for ${uid}`);
    }
    this.#kept.served(preset.uid);
  }

  onDrain(replica: Replica, cause: DrainCause): void {
    const told = this.#facts.source.inFlight(replica.id);
    this.#facts.source.gateClosed(replica.id);
    this.#kept.noteDrain(replica, cause);
    if (!isThere(replica)) this.violations.push(`${replica.id} is drained while it is ${replica.state.kind}`);
    if (CHOSEN.has(cause.kind)) this.#checkKnown(replica, told);
    if (cause.kind === 'idle' || cause.kind === 'evicted') {
      this.#expect(told === 0, `${replica.id} is drained as ${cause.kind} with ${String(told)} in flight`);
    }
  }

  onCancel(replica: Replica): void {
    this.#kept.served(replica.preset);
    this.#expect(replica.state.kind === 'draining', `the drain of ${replica.id} is taken back, but it does not drain`);
    this.#expect(
      this.#facts.declarations.find(replica.preset) !== undefined,
      `the drain of ${replica.id} is taken back, but its preset is gone`,
    );
  }

  onStop(replica: Replica): void {
    const inFlight = this.#facts.traffic.streamingAt().get(replica.id);
    this.#expect(inFlight === undefined, `${replica.id} is stopped with ${String(inFlight)} in flight`);
    this.#expect(replica.state.kind === 'draining', `${replica.id} is stopped without a drain`);
  }

  onDeath(replica: Replica, code: FailureCode): void {
    this.#facts.traffic.breakOff(replica.id);
    this.#facts.onDeath(replica, code);
  }

  /** Needing none of a resource is always met, also where a smaller size has left too much of it in use. */
  #checkRoom(preset: Preset, pool: Pool, bin: BinName, replicas: readonly Replica[]): void {
    const holding = replicas.filter((one) => one.pool === pool.name && takesRoom(one));
    this.#expect(
      pool.maxLoaded === 0 || holding.length < pool.maxLoaded,
      `${preset.uid} is started beside ${holding.length} in a pool for ${pool.maxLoaded}`,
    );
    const found = pool.bins.find(({ name }) => name === bin);
    this.#expect(found !== undefined, `${preset.uid} is started in ${bin}, which ${pool.name} does not have`);
    if (found?.size === undefined) return;
    const there = holding.filter((one) => one.bin === undefined || one.bin === bin);
    for (const [name, need] of preset.footprint) {
      const used = there.reduce((sum, one) => sum + amountOf(this.#facts.declarations.footprintOf(one), name), 0);
      const size = amountOf(found.size, name);
      const isEnough = need === 0 || used + need <= size;
      this.#expect(
        isEnough,
        `${preset.uid} takes ${need} ${name} of ${bin}, of whose ${size} there are ${used} in use`,
      );
    }
  }

  /** While the reports are late, who waited may have left. */
  #checkWish(preset: Preset): void {
    const { traffic, source, wants } = this.#facts;
    const { autoload, minReplicas } = preset.scaling;
    // What requests do not load is ordered anew by the loop when an edit makes it leave, ready or not.
    const isWanted = traffic.heldFor(preset.uid) > 0 || wants.isOrdered(preset.uid) || minReplicas > 0 || !autoload;
    this.#expect(isWanted || source.hearing !== 'live', `${preset.uid} is started for nobody`);
  }

  #checkKnown({ id, preset }: Replica, inFlight: number | undefined): void {
    const { kind } = this.#facts.source.activity(preset);
    const isKnown = kind !== 'unknown' && inFlight !== undefined;
    this.#expect(isKnown, `${id} is drained although nobody knows whether it is in use`);
  }

  #expect(isTrue: boolean, otherwise: string): void {
    if (!isTrue) this.violations.push(otherwise);
  }
}
