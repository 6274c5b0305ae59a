import { createLedger } from '../../activity/create-ledger.ts';
import type { Ledger, LedgerChange } from '../../activity/ledger.ts';
import type { PresetUid } from '../../domain/ids.ts';
import type { Pool } from '../../domain/pool.ts';
import type { Preset } from '../../domain/preset.ts';
import type { Replica } from '../../domain/replica.ts';
import { instant, type Instant } from '../../domain/units.ts';
import type { Action } from '../../planner/action.ts';
import type { Decision, Policy, Wish, World } from '../policies/policy.ts';
import type { Scenario, SimulatedModel } from '../scenario.ts';
import { EventHeap, type SimulatedEvent } from './event-heap.ts';
import { Fleet, type LoadCounts } from './fleet.ts';
import { presetOf } from './preset-of.ts';
import { Requests, type RequestCounts } from './requests.ts';

/** Decisions at one moment; more mean that a policy goes round in circles, which in no time leads nowhere. */
const MAX_DECISIONS = 1_000;

/**
 * A discrete-event simulation: time goes from one event to the next, and no clock is looked at. All that happens at one
 * moment happens before the policy decides, as all that happens in one tick does in the control loop.
 */
export class Simulation implements World {
  readonly pool: Pool;
  readonly presets: readonly Preset[];
  readonly protectedPresets: readonly Preset[];
  readonly ledger: Ledger = createLedger();
  readonly #policy: Policy;
  readonly #events = new EventHeap();
  readonly #fleet: Fleet;
  readonly #requests: Requests;
  #now = instant(0);
  #matters = true;
  #decision: Decision = { wakeAt: undefined, unsettled: false };

  constructor(scenario: Scenario, policy: Policy) {
    this.pool = scenario.pool;
    this.presets = scenario.models.map((model) => presetOf(model, scenario));
    this.protectedPresets = this.presets.filter(({ scaling }) => scaling.minReplicas > 0);
    this.#policy = policy;
    this.ledger.declare(this.presets, this.#now);
    this.ledger.onChange((change) => {
      this.#matters ||= this.#mayMatter(change);
    });
    this.#fleet = new Fleet(scenario.pool, byPreset(this.presets, scenario.models), this.#events);
    const physics = { fleet: this.#fleet, events: this.#events };
    this.#requests = new Requests(scenario, { presets: this.presets, ledger: this.ledger }, physics);
  }

  /** Runs until every request has ended. Throws if the policy acts against the physics. */
  run(): { readonly loads: LoadCounts; readonly requests: RequestCounts } {
    let decisions = 0;
    while (!this.#requests.allEnded) {
      const next = this.#nextMoment();
      decisions = next > this.#now ? 0 : decisions + 1;
      if (decisions > MAX_DECISIONS) throw new Error(`the policy does not come to rest at ${this.#now} ms`);
      this.#now = next;
      this.#happen();
      if (this.#matters) this.#decide();
    }
    const requests = this.#requests.counts();
    return { loads: this.#fleet.counts(requests.lastEnd), requests };
  }

  observe(): readonly Replica[] {
    return this.#fleet.observe();
  }

  presetOf(replica: Replica): Preset {
    return this.#fleet.presetOf(replica);
  }

  wishes(): readonly Wish[] {
    return this.#requests.wishes();
  }

  lastBegun(uid: PresetUid): Instant | undefined {
    return this.#requests.lastBegun(uid);
  }

  apply(action: Action): void {
    const one = this.#fleet.apply(action, this.#now);
    if (action.kind === 'stop') this.#requests.cutAt(one, this.#now);
    if (action.kind === 'cancel') this.#requests.serve(one.replica.preset, this.#now);
  }

  #nextMoment(): Instant {
    if (this.#matters) return this.#now;
    const times = [this.#events.first?.at, this.#requests.nextAt, this.#decision.wakeAt];
    const next = times.reduce<number>((least, time) => (time !== undefined && time < least ? time : least), Infinity);
    if (next === Infinity) throw new Error('nothing is to come, and requests have not ended');
    return instant(Math.max(next, this.#now));
  }

  #happen(): void {
    for (let first = this.#events.first; first !== undefined && first.at <= this.#now; first = this.#events.first) {
      this.#events.pop();
      this.#happens(first);
    }
    this.#requests.arrive(this.#now);
    this.#requests.giveUp(this.#now);
    const { wakeAt } = this.#decision;
    if (wakeAt !== undefined && wakeAt <= this.#now) this.#matters = true;
  }

  #happens({ kind, subject }: SimulatedEvent): void {
    if (kind === 'end') this.#requests.end(subject, this.#now);
    else if (kind === 'gone') this.#exits(subject);
    else this.#loads(subject);
  }

  #exits(number: number): void {
    this.#fleet.becomeGone(number, this.#now);
    this.#matters = true;
  }

  #loads(number: number): void {
    const one = this.#fleet.becomeReady(number);
    if (one === undefined) return;
    this.#requests.serve(one.replica.preset, this.#now);
    this.#matters = true;
  }

  #decide(): void {
    this.#matters = false;
    this.#decision = this.#policy.decide(this, this.#now);
  }

  /** As the control loop: the end of a request matters only to somebody who waits for it. */
  #mayMatter(change: LedgerChange): boolean {
    return change === 'demand' || change === 'pressure' || (change === 'idle' && this.#decision.unsettled);
  }
}

function byPreset(
  presets: readonly Preset[],
  models: readonly SimulatedModel[],
): ReadonlyMap<PresetUid, SimulatedModel> {
  return new Map(
    presets.flatMap(({ uid }, index) => {
      const model = models[index];
      return model === undefined ? [] : [[uid, model]];
    }),
  );
}
