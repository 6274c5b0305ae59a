import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createLedger } from '../activity/create-ledger.ts';
import type { Ledger, Waiting } from '../activity/ledger.ts';
import type { EndedRequest } from '../domain/ended-request.ts';
import { modelName, poolName, presetUid } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import { instant, minutes, type Duration, type Instant } from '../domain/units.ts';
import { accessLog } from '../edge/access-log.ts';
import type { IsTrustedProxy } from '../edge/client-address.ts';
import { createEdge, type Edge, type EdgeOptions } from '../edge/edge.ts';
import type { KeyRing } from '../edge/key-ring.ts';
import { DEFAULT_EDGE_LIMITS, type EdgeLimits } from '../edge/limits.ts';
import { observedBy, type EdgeObserver } from '../edge/observer.ts';
import type { Orders } from '../edge/orders.ts';
import { DEFAULT_SURFACE, type Surface } from '../edge/surface.ts';
import { portOf } from './http-kit.ts';
import { aPreset } from './worlds.ts';
import { indexRoutes } from '../routing/build-route-table.ts';
import { createRouteBoard } from '../routing/route-board.ts';
import type { Phase, ReadyReplica, Refusal, Route, RouteBoard, RouteTable } from '../routing/route.ts';
import { Watch } from './watch.ts';

/** What a test declares of a model; the rest has values that matter to no test. */
export interface ModelSketch {
  readonly model: string;
  readonly uid?: string;
  readonly aliases?: readonly string[];
  readonly variants?: readonly { readonly name: string; readonly parameters: string }[];
  readonly replicas?: readonly ReadyReplica[];
  readonly refusal?: Refusal;
  readonly phase?: Phase;
  readonly lastLoad?: Duration;
  /** Its pool; `default` unless given. */
  readonly pool?: string;
  /** The pools in which it has a place. */
  readonly holds?: readonly string[];
  readonly maxWaiting?: number;
  readonly maxWait?: Duration;
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: ReadonlyMap<string, unknown>;
}

/** An edge that listens, with the real ledger and board, and hands to publish tables in the control loop's place. */
export interface EdgeBed {
  readonly edge: Edge;
  readonly port: number;
  readonly board: RouteBoard;
  readonly ledger: Ledger;
  readonly lines: readonly LogLine[];
  /** What the observer was told. */
  readonly records: readonly EndedRequest[];
  publish(...models: readonly ModelSketch[]): void;
  /** Resolves when this many requests have ended, all told. */
  ended(requests: number): Promise<void>;
  /** Resolves when this many requests wait for the model (its uid), or at once. */
  held(uid: string, requests: number): Promise<void>;
  /** Fails unless nothing is counted anywhere. */
  assertIdle(): void;
}

export interface BedOptions {
  readonly limits?: Partial<EdgeLimits>;
  readonly isTrustedProxy?: IsTrustedProxy;
  readonly orders?: Partial<Orders>;
  readonly planOf?: EdgeOptions['planOf'];
  /** More, beside the log and what keeps the records. */
  readonly observers?: readonly EdgeObserver[];
  readonly keys?: KeyRing;
  readonly surface?: Partial<Surface>;
  /** Unless given, a clock that moves with every look and with nothing else. */
  readonly now?: () => Instant;
}

export const READY: Phase = { kind: 'ready' };

function presetOf({
  model,
  uid = `uid-${model}`,
  aliases = [],
  variants = [],
  maxWaiting = 8,
  maxWait = minutes(1),
  pool = 'default',
}: ModelSketch): Preset {
  const preset = aPreset(model, {
    uid: presetUid(uid),
    aliases: aliases.map(modelName),
    variants: variants.map(({ name, parameters }) => ({ name: modelName(name), parameters })),
    queue: { maxWaiting, maxWait },
    pool: poolName(pool),
  });
  return { ...preset, launch: { ...preset.launch, args: ['--secret-argument'] } };
}

export function routeOf(sketch: ModelSketch): Route {
  const preset = presetOf(sketch);
  const { replicas = [], refusal, lastLoad, holds = [] } = sketch;
  const phase: Phase = sketch.phase ?? (replicas.length > 0 ? READY : { kind: 'unloaded' });
  return { uid: preset.uid, preset, phase, replicas, holds: holds.map(poolName), refusal, lastLoad };
}

export const tableOf = (models: readonly ModelSketch[]): RouteTable => indexRoutes(models.map(routeOf));

/** Counts upwards: a clock that moves with every look and with nothing else. */
function steppingClock(): () => ReturnType<typeof instant> {
  let ticks = 0;
  return () => instant((ticks += 1));
}

/** A ledger that tells after each change of a count of waiters: `onChange` tells of the first and the last only. */
function watchedLedger(watch: Watch): Ledger {
  const ledger = createLedger();
  const look = (): void => {
    queueMicrotask(() => {
      watch.look();
    });
  };
  const told = (waiting: Waiting): Waiting => {
    look();
    return {
      dispatch: (replica, now) => {
        look();
        return waiting.dispatch(replica, now);
      },
      end: () => {
        look();
        waiting.end();
      },
      leave: (now) => {
        look();
        waiting.leave(now);
      },
    };
  };
  return {
    ...ledger,
    find: (uid) => {
      const account = ledger.find(uid);
      if (account === undefined) return undefined;
      return {
        uid,
        get waiting() {
          return account.waiting;
        },
        begin: (replica, now) => account.begin(replica, now),
        wait: (now) => told(account.wait(now)),
        queue: () => told(account.queue()),
      };
    },
  };
}

function sketchLog(lines: LogLine[], watch: Watch) {
  const at =
    (level: string) =>
    (message: string, fields: object = {}): void => {
      lines.push({ level, message, fields: new Map(Object.entries(fields)) });
      watch.look();
    };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

const describeLines = (lines: readonly LogLine[]): string =>
  lines.map(({ message, fields }) => `${message} ${JSON.stringify(Object.fromEntries(fields))}`).join('\n');

const noOrders: Orders = {
  reload: async () => Promise.resolve({ ok: true }),
  load: () => 'ordered',
  unload: () => 'ordered',
  replicasOf: () => [],
};

export async function startEdge(
  t: { after(hook: () => Promise<void>): void },
  { limits, orders, planOf, keys, observers = [], isTrustedProxy, surface, now = steppingClock() }: BedOptions = {},
): Promise<EdgeBed> {
  const lines: LogLine[] = [];
  const watch = new Watch(() => describeLines(lines));
  const records: EndedRequest[] = [];
  const ledger = watchedLedger(watch);
  const board = createRouteBoard();
  const log = sketchLog(lines, watch);
  const edge = createEdge({
    board,
    ledger,
    orders: { ...noOrders, ...orders },
    ...(planOf === undefined ? {} : { planOf }),
    ...(keys === undefined ? {} : { keys }),
    isTrustedProxy,
    log,
    observer: observedBy(accessLog(log), { ended: (request) => records.push(request) }, ...observers),
    now,
    limits: { ...DEFAULT_EDGE_LIMITS, ...limits },
    surface: { ...DEFAULT_SURFACE, ...surface },
    created: 1_700_000_000,
  });
  edge.server.listen(0, '127.0.0.1');
  await once(edge.server, 'listening');
  t.after(async () => {
    edge.server.closeAllConnections();
    await edge.shutdown();
  });
  const known = new Map<string, ModelSketch>();
  return {
    edge,
    port: portOf(edge.server),
    board,
    ledger,
    lines,
    records,
    publish: (...models) => {
      for (const sketch of models) known.set(sketch.uid ?? `uid-${sketch.model}`, sketch);
      const table = tableOf(models);
      ledger.declare(
        table.routes.map(({ preset }) => preset),
        now(),
      );
      board.publish(table);
    },
    ended: async (requests) =>
      watch.until(() => lines.filter(({ message }) => message === 'request').length >= requests),
    held: async (uid, requests) => watch.until(() => ledger.find(presetUid(uid))?.waiting === requests),
    assertIdle: () => {
      for (const [uid, { replicas = [] }] of known) {
        assert.equal(ledger.demand(presetUid(uid)), undefined, `somebody waits for ${uid}`);
        assert.notEqual(ledger.activity(presetUid(uid)).kind, 'busy', `${uid} is busy`);
        for (const { id } of replicas) assert.equal(ledger.inFlight(id), 0, `${id} has requests`);
      }
    },
  };
}
