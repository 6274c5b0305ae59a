import { setImmediate as nextTurn } from 'node:timers/promises';
import { after, milliseconds, minutes, seconds, type Duration, type Instant } from '../domain/units.ts';
import type { Log } from '../platform/log.ts';
import { delayAfter, type BackOff } from './back-off.ts';
import { ApiError, isExpired, type KubeApi, type Scope, type WatchEvent } from './kube-api.ts';
import type { KubeObject, Resource } from './kube-object.ts';
import { MissedEvents } from './missed-events.ts';
import { ObjectCache } from './object-cache.ts';
import { pause, type Timers } from './timers.ts';
import { TooQuiet, untilQuiet } from './until-quiet.ts';

const BACK_OFF: BackOff = { first: milliseconds(500), longest: seconds(30) };
/** The API server sends a bookmark about once a minute, so that a longer silence means a dead connection. */
const LONGEST_SILENCE = seconds(90);
/** How often everything is listed again, as a safety net under the watch. */
const RELIST_EVERY = minutes(10);

export interface ReflectorParts {
  readonly api: KubeApi;
  readonly resource: Resource;
  readonly scope: Scope;
  readonly log: Log;
  readonly timers: Timers;
  /**
   * Called after changes of `objects()`, at most once per turn of the event loop, so that many changes that arrive
   * together are one call. Says not what changed: decide from what there is. What the watch has told of an object is there for a
   * call, also where the next word of it is that it is gone: how it ended may be said there alone. What it throws is logged.
   */
  readonly onChange: () => void;
}

/**
 * Keeps a copy of all objects of a kind and scope: lists them, then watches from there on, and goes on for ever through
 * every fault. Nothing in it ever goes back to an older state, and nothing that was deleted comes back.
 */
export class Reflector {
  readonly #parts: ReflectorParts;
  readonly #cache = new ObjectCache();
  readonly #missed = new MissedEvents();
  readonly #stopping = new AbortController();
  readonly #synced = Promise.withResolvers<'synced' | 'stopped'>();
  #running: Promise<void> | undefined;
  /** Up to where the watch has come; `undefined`: a list must come first. */
  #version: string | undefined;
  #isSynced = false;
  #relistAt: Instant | undefined;
  #failures = 0;
  /** While nothing is done since something has failed; a pause that the server has asked for is not in it. */
  #pausing: AbortController | undefined;
  /** Resolves when all that has changed is told; `undefined`: it is. */
  #telling: Promise<void> | undefined;
  /** Uids of what the watch has told and nobody was told of yet. */
  readonly #untold = new Set<string>();

  constructor(parts: ReflectorParts) {
    this.#parts = parts;
  }

  /** Begins to list and watch. Resolves after the first list, or with `stopped` if `stop` came before it. Never rejects. */
  async start(): Promise<'synced' | 'stopped'> {
    this.#running ??= this.#run();
    return this.#synced.promise;
  }

  /** Ends the watch, and resolves when nothing is open any more. Nothing is opened after that, and nothing is told. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#synced.resolve('stopped');
  }

  /**
   * Lists everything once more beside the watch: afterwards nothing here is older than the call. To be called when synced.
   * Goes on until it succeeds, or ends with `stopped` if `stop` comes before. Never rejects.
   */
  async refresh(): Promise<'fresh' | 'stopped'> {
    const { timers } = this.#parts;
    const { signal } = this.#stopping;
    for (let failures = 1; !signal.aborted; failures += 1) {
      const error = await this.#listBeside();
      if (error === undefined) return 'fresh';
      await pause(timers, delayAfter(error, failures, BACK_OFF, timers.random), signal);
    }
    return 'stopped';
  }

  /** The API server has just answered somebody, and did not before: what failed is tried again now, unless it said when. */
  retryNow(): void {
    this.#failures = 0;
    this.#pausing?.abort();
  }

  /** Whether everything was listed once. Before that, an object that is not here may well exist. */
  get synced(): boolean {
    return this.#isSynced;
  }

  /** How many changes a list has shown that the watch should have told and did not. Anything but 0 is a fault. */
  get missed(): number {
    return this.#missed.count;
  }

  objects(): readonly KubeObject[] {
    return this.#cache.objects();
  }

  find(uid: string): KubeObject | undefined {
    return this.#cache.find(uid);
  }

  /** Takes in the answer of an own write or read, so that it need not wait for the watch. It must be one in this scope. */
  absorb(object: KubeObject): void {
    if (this.#cache.put(object)) this.#tell();
  }

  /** Takes in that there is no object of this uid any more, and never will be. */
  absorbDeletion(uid: string): void {
    if (this.#cache.remove(uid, undefined, this.#parts.timers.now())) this.#tell();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const error = await this.#round();
      this.#failures += 1;
      const delay = delayAfter(error, this.#failures, BACK_OFF, this.#parts.timers.random);
      await this.#pause(delay, error);
    }
  }

  async #pause(delay: Duration, error: unknown): Promise<void> {
    const { signal } = this.#stopping;
    const isAskedFor = error instanceof ApiError && error.retryAfter !== undefined;
    const pausing = new AbortController();
    this.#pausing = isAskedFor ? undefined : pausing;
    await pause(this.#parts.timers, delay, AbortSignal.any([signal, pausing.signal]));
    this.#pausing = undefined;
  }

  /** Lists if need be, and watches until that ends. Returns the error that ended it, if any. */
  async #round(): Promise<unknown> {
    try {
      const from = await this.#listIfDue();
      await this.#watchFrom(from);
      return undefined;
    } catch (error) {
      if (isExpired(error)) this.#version = undefined;
      this.#logFailure(error);
      return error;
    }
  }

  async #listIfDue(): Promise<string> {
    const watched = this.#version;
    if (watched !== undefined && this.#untilRelist() > 0) return watched;
    // Also if it fails: while nothing can be listed, the watch may still work.
    this.#relistAt = after(this.#parts.timers.now(), RELIST_EVERY);
    const { resourceVersion, changed } = await this.#list();
    this.#isSynced = true;
    this.#synced.resolve('synced');
    // A watch that has come so far goes on where it was, so that it can show whether it would have told all this.
    if (watched === undefined) this.#missed.restart();
    else this.#missed.expect(changed, resourceVersion);
    this.#version = watched ?? resourceVersion;
    return this.#version;
  }

  /** Returns the error if it fails. */
  async #listBeside(): Promise<unknown> {
    try {
      const { resourceVersion, changed } = await this.#list();
      // Without a version the watch begins anew, at a list of its own.
      if (this.#version !== undefined) this.#missed.expect(changed, resourceVersion);
      return undefined;
    } catch (error) {
      this.#logFailure(error);
      return error ?? new Error('unknown');
    }
  }

  /** Takes in all that there is. `changed`: the uids of what was not as it is now. */
  async #list(): Promise<{
    readonly resourceVersion: string;
    readonly changed: readonly string[];
  }> {
    const { api, resource, scope, timers } = this.#parts;
    const list = await api.list(resource, scope, this.#stopping.signal);
    const changed = this.#cache.takeList(list, timers.now());
    if (changed.length > 0) this.#tell();
    return { resourceVersion: list.resourceVersion, changed };
  }

  /** In milliseconds; 0 or less: it is due. */
  #untilRelist(): number {
    return this.#relistAt === undefined ? 0 : this.#relistAt - this.#parts.timers.now();
  }

  async #watchFrom(version: string): Promise<void> {
    const { api, resource, scope, timers } = this.#parts;
    const due = new AbortController();
    const cancel = timers.wakeIn(milliseconds(Math.max(0, this.#untilRelist())), () => {
      due.abort();
    });
    const signal = AbortSignal.any([this.#stopping.signal, due.signal]);
    try {
      const open = (ending: AbortSignal): AsyncIterable<WatchEvent> => api.watch(resource, scope, version, ending);
      for await (const event of untilQuiet(open, { timers, longest: LONGEST_SILENCE, signal })) {
        if (event.kind === 'deleted' && this.#untold.has(event.object.metadata.uid)) await this.#telling;
        this.#take(event);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      cancel();
    }
  }

  #take(event: WatchEvent): void {
    this.#failures = 0;
    const changed = this.#apply(event);
    this.#version = event.kind === 'bookmark' ? event.resourceVersion : event.object.metadata.resourceVersion;
    const missed = this.#missed.told(event.kind === 'bookmark' ? undefined : event.object.metadata.uid, this.#version);
    if (missed > 0) this.#parts.log.warn('the watch has missed changes', { ...this.#fields(), missed });
    if (changed) this.#tell();
  }

  #apply(event: WatchEvent): boolean {
    switch (event.kind) {
      case 'changed': {
        const isNews = this.#cache.put(event.object);
        if (isNews) this.#untold.add(event.object.metadata.uid);
        return isNews;
      }
      case 'deleted': {
        const { uid, resourceVersion } = event.object.metadata;
        return this.#cache.remove(uid, resourceVersion, this.#parts.timers.now());
      }
      case 'bookmark':
        return false;
    }
  }

  #tell(): void {
    this.#telling ??= nextTurn().then(() => {
      this.#telling = undefined;
      this.#untold.clear();
      if (!this.#stopping.signal.aborted) this.#callBack();
    });
  }

  #callBack(): void {
    try {
      this.#parts.onChange();
    } catch (error) {
      this.#parts.log.error('a listener to objects has failed', { ...this.#fields(), error });
    }
  }

  #logFailure(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const reason = error instanceof Error ? error.message : String(error);
    // Not worth a warning: a server that has seen no change of a kind since its start sends no bookmarks of it either.
    if (error instanceof TooQuiet) this.#parts.log.debug('a quiet watch is opened anew', { ...this.#fields(), reason });
    else this.#parts.log.warn('objects could not be followed; trying again', { ...this.#fields(), reason });
  }

  #fields(): object {
    return { resource: this.#parts.resource.plural };
  }
}
