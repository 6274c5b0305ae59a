import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../domain/json.ts';
import { instant, milliseconds, type Duration } from '../domain/units.ts';
import { ApiError, ApiUnreachable, type KubeApi } from '../kube/kube-api.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Timers } from '../kube/timers.ts';
import { WRITE_TIMEOUT } from '../operator/election.ts';
import { LeaderLease } from '../operator/leader-lease.ts';
import { keptLog } from './kube-testbed.ts';

/** What becomes of one call, in milliseconds; `undefined`: it, or its answer, is lost. */
export interface CallFate {
  readonly request: number | undefined;
  readonly answer: number | undefined;
}

/** Something that is so for a time, of one candidate. */
export interface Spell {
  readonly candidate: number;
  readonly from: number;
  readonly length: number;
}

export interface LeaseFaults {
  /** Of the calls, in turn, until `until`; later all are answered at once. */
  readonly fates: readonly CallFate[];
  /** How long the writes are on their way, in turn; a connection is reset after WRITE_TIMEOUT. */
  readonly writes: readonly number[];
  /** The process does nothing: SIGSTOP, or a busy event loop. */
  readonly stalls: readonly Spell[];
  /** Nothing comes through, in either direction. */
  readonly partitions: readonly Spell[];
  /** When somebody deletes the lease. */
  readonly deletions: readonly number[];
  /** How often somebody writes to it what says nothing of its holder, also after `until`; 0: never. */
  readonly annotatedEvery: number;
  /** How far each candidate's clocks are off; as many as there are candidates. */
  readonly offsets: readonly number[];
  readonly until: number;
}

const TICK = 50;
const PROMPT: CallFate = { request: 0, answer: 0 };
/** The kubelet starts an ended process again. */
const RESTART = 1000;

interface Alarm {
  readonly at: number;
  readonly callback: () => void;
}

/** A lease, the candidates for it, what is between them, and time. All is decided by `LeaseFaults`. */
export class LeaseWorld {
  readonly faults: LeaseFaults;
  readonly candidates: readonly Candidate[];
  /** What must never happen and did, in words. */
  readonly wrongs: string[] = [];
  /** How many have begun to lead. */
  terms = 0;
  now = 0;
  #lease: KubeObject | undefined;
  #version = 0;
  #calls = 0;
  #writes = 0;
  readonly #arrivals: Alarm[] = [];

  constructor(faults: LeaseFaults) {
    this.faults = faults;
    this.candidates = faults.offsets.map((offset, index) => new Candidate(this, index, offset));
  }

  /** Lets time pass up to then. */
  async pass(until: number): Promise<void> {
    while (this.now < until) {
      this.now += TICK;
      if (this.faults.deletions.some((at) => at > this.now - TICK && at <= this.now)) this.#lease = undefined;
      this.#annotate();
      ringAll(this.#arrivals, this.now);
      for (const candidate of this.candidates) await candidate.tick();
    }
  }

  #annotate(): void {
    const lease = this.#lease;
    if (lease !== undefined && this.now % this.faults.annotatedEvery === 0) this.put(lease['spec'], lease.metadata.uid);
  }

  get leaders(): readonly Candidate[] {
    return this.candidates.filter(({ lease }) => lease.isLeading);
  }

  isIn(spells: readonly Spell[], candidate: number): boolean {
    return spells.some(({ candidate: who, from, length }) => {
      return who === candidate && this.now >= from && this.now < from + length;
    });
  }

  nextFate(): CallFate {
    this.#calls += 1;
    return this.now >= this.faults.until ? PROMPT : inTurn(this.faults.fates, this.#calls);
  }

  /** Whoever leads writes something, which must not arrive when another one has begun to lead. */
  sendWrite({ name, term }: Candidate): void {
    this.#writes += 1;
    const delay = Math.min(inTurn(this.faults.writes, this.#writes), WRITE_TIMEOUT);
    this.arrive(delay, () => {
      if (term !== this.terms)
        this.wrongs.push(`at ${this.now} a write of ${name} of term ${term} in term ${this.terms}`);
    });
  }

  arrive(delay: number, callback: () => void): void {
    this.#arrivals.push({ at: this.now + delay, callback });
  }

  get(): KubeObject | undefined {
    return this.#lease;
  }

  put(spec: unknown, uid: string): KubeObject {
    this.#version += 1;
    const metadata = { name: 'l', namespace: 'n', uid, resourceVersion: `${this.#version}`, creationTimestamp: 'then' };
    this.#lease = { spec, metadata };
    return this.#lease;
  }

  create(object: JsonObject): KubeObject {
    if (this.#lease !== undefined) throw conflict('AlreadyExists');
    return this.put(object['spec'], `uid-${this.#version}`);
  }

  replace(object: KubeObject): KubeObject {
    const there = this.#lease;
    if (there === undefined) throw new ApiError({ status: 404, reason: 'NotFound', message: 'gone' });
    const { uid, resourceVersion } = object.metadata;
    if (uid !== there.metadata.uid || resourceVersion !== there.metadata.resourceVersion) throw conflict('Conflict');
    // What changes nothing is not written.
    if (isDeepStrictEqual(object['spec'], there['spec'])) return there;
    return this.put(object['spec'], uid);
  }
}

/** One that wants to lead, and begins anew, as another process, when it has lost. */
class Candidate {
  readonly #world: LeaseWorld;
  readonly #index: number;
  readonly #timers: Timers;
  readonly #alarms: Alarm[] = [];
  readonly #answers: (() => void)[] = [];
  #lives = 0;
  #wasStalled = false;
  /** In which it leads, or led. */
  term = 0;
  lease: LeaderLease;

  constructor(world: LeaseWorld, index: number, offset: number) {
    this.#world = world;
    this.#index = index;
    this.#timers = {
      now: () => instant(world.now + offset),
      wakeIn: (delay, callback) => this.#wakeIn(delay, callback),
      random: () => 0.5,
    };
    this.lease = this.#enter();
  }

  get name(): string {
    return `${this.#index}_${this.#lives}`;
  }

  async tick(): Promise<void> {
    const world = this.#world;
    if (world.isIn(world.faults.stalls, this.#index)) {
      this.#wasStalled = true;
      return;
    }
    // The worst order on waking: something has told the process to write, and no timer has rung yet.
    if (this.#wasStalled) this.#write();
    this.#wasStalled = false;
    for (const answer of this.#answers.splice(0)) answer();
    await settled();
    this.#write();
    ringAll(this.#alarms, world.now);
    await settled();
    this.#write();
  }

  #write(): void {
    if (this.lease.whyNotWrite() === undefined) this.#world.sendWrite(this);
  }

  #enter(): LeaderLease {
    this.#lives += 1;
    const lease = new LeaderLease({
      api: this.#api(),
      namespace: 'n',
      name: 'l',
      identity: this.name,
      timers: this.#timers,
      wallNow: () => 0,
      log: keptLog(),
      onReached: () => undefined,
      onLeading: () => {
        this.#world.terms += 1;
        this.term = this.#world.terms;
      },
      onLost: () => {
        this.#wakeIn(milliseconds(RESTART), () => {
          this.lease = this.#enter();
        });
      },
    });
    lease.start();
    return lease;
  }

  #wakeIn(delay: Duration, callback: () => void): () => void {
    const alarm = { at: this.#world.now + delay, callback };
    this.#alarms.push(alarm);
    return () => {
      const index = this.#alarms.indexOf(alarm);
      if (index !== -1) this.#alarms.splice(index, 1);
    };
  }

  #api(): Pick<KubeApi, 'get' | 'create' | 'replace'> {
    const world = this.#world;
    return {
      get: async () => this.#call(() => world.get()),
      create: async (_resource, object) => this.#call(() => world.create(object)),
      replace: async (_resource, object) => this.#call(() => world.replace(object)),
    };
  }

  /** A call that is lost is over for its caller when its time is; it may arrive all the same. */
  async #call<T>(serve: () => T): Promise<T> {
    const world = this.#world;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const fate = world.nextFate();
    const cancel = this.#wakeIn(WRITE_TIMEOUT, () => {
      reject(new ApiUnreachable('no answer in time'));
    });
    const isCut = (): boolean => world.isIn(world.faults.partitions, this.#index);
    if (fate.request !== undefined && !isCut()) {
      world.arrive(fate.request, () => {
        const settle = serveNow(serve, resolve, reject);
        if (fate.answer === undefined || isCut()) return;
        world.arrive(fate.answer, () => {
          this.#answers.push(settle);
        });
      });
    }
    return promise.finally(cancel);
  }
}

/** Does it now, and returns what tells its caller. */
function serveNow<T>(serve: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): () => void {
  try {
    const value = serve();
    return () => {
      resolve(value);
    };
  } catch (error) {
    return () => {
      reject(error);
    };
  }
}

function inTurn<T>(list: readonly T[], count: number): T {
  const item = list[count % list.length];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}

const conflict = (reason: string): ApiError => new ApiError({ status: 409, reason, message: reason });

/** Also what is added meanwhile and due. */
function ringAll(alarms: Alarm[], now: number): void {
  for (let due = firstDue(alarms, now); due !== undefined; due = firstDue(alarms, now)) {
    alarms.splice(alarms.indexOf(due), 1);
    due.callback();
  }
}

const firstDue = (alarms: readonly Alarm[], now: number): Alarm | undefined =>
  alarms.filter(({ at }) => at <= now).toSorted((a, b) => a.at - b.at)[0];

/** Everything that waits for nothing but promises has happened. */
const settled = async (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
