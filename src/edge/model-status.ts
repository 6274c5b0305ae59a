import { assertNever } from '../domain/assert-never.ts';
import type { PoolName, PresetUid } from '../domain/ids.ts';
import { describeCause } from '../domain/leaving.ts';
import { isLackOfRoom } from '../domain/wait-reason.ts';
import type { Phase, Refusal, Route, RouteTable } from '../routing/route.ts';
import type { Sight } from '../routing/sight.ts';
import { describeWait } from './route-refusals.ts';
import { lackOf } from '../routing/too-large.ts';

/** A model's status: `value`, `failed` and `exit_code` in the words of llama-server's router, `draining` and the rest in ours. */
export interface ModelStatus extends Why {
  readonly value: 'unloaded' | 'loading' | 'loaded' | 'draining';
  readonly failed?: true;
  readonly exit_code?: number;
  readonly phase: Phase['kind'];
  /** Its place among those of its pool that wait for room, the next one 1. */
  readonly position?: number;
  /** Of one that waits for room: the models of its pool that hold it, of those that are seen. */
  readonly holders?: readonly string[];
  /** How long its last load took; missing: nobody has measured one. */
  readonly expected_load_ms?: number;
}

interface Why {
  /** One word of a closed list. */
  readonly reason?: string;
  /** One clause for people. */
  readonly message?: string;
}

const VALUES: Readonly<Record<Phase['kind'], ModelStatus['value']>> = {
  unloaded: 'unloaded',
  waiting: 'loading',
  loading: 'loading',
  ready: 'loaded',
  draining: 'draining',
  stopping: 'draining',
  failed: 'unloaded',
};

/** What is known of the other models, to somebody. */
export interface Others {
  /** What a preset is called; `undefined`: nobody declares it, or it is not seen. */
  readonly nameOf: (uid: PresetUid) => string | undefined;
  /** The models whose replicas take what there is of a pool, of those that are seen. */
  readonly holdersOf: (pool: PoolName) => readonly string[];
  readonly sight: Sight;
}

/** What whoever has this sight may know. */
export function othersIn({ routes }: RouteTable, sight: Sight): Others {
  const seen = routes.filter(({ preset }) => sight.sees(preset.model));
  const names = new Map(seen.map(({ uid, preset }) => [uid, preset.model]));
  const held = seen.flatMap(({ holds, preset }) => holds.map((pool) => ({ pool, model: preset.model })));
  const byPool = Map.groupBy(held, ({ pool }) => pool);
  return {
    nameOf: (uid) => names.get(uid),
    holdersOf: (pool) => {
      const holders = byPool.get(pool);
      return holders === undefined ? [] : holders.map(({ model }) => model);
    },
    sight,
  };
}

/** What the list says of how a model stands. No other model is named to those who do not see it. */
export function statusOf(route: Route, others: Others): ModelStatus {
  const { phase, lastLoad, preset } = route;
  return {
    value: VALUES[phase.kind],
    ...(phase.kind === 'failed' ? { failed: true } : {}),
    ...(phase.kind === 'failed' && phase.exitCode !== undefined ? { exit_code: phase.exitCode } : {}),
    phase: phase.kind,
    ...whyOf(route, others),
    ...(phase.kind === 'waiting' && phase.position !== undefined ? { position: phase.position } : {}),
    ...(phase.kind === 'waiting' && isLackOfRoom(phase.reason) ? { holders: others.holdersOf(preset.pool) } : {}),
    ...(lastLoad === undefined ? {} : { expected_load_ms: Math.round(lastLoad) }),
  };
}

function whyOf({ phase, refusal }: Route, { nameOf, sight }: Others): Why {
  switch (phase.kind) {
    case 'waiting':
      return { reason: phase.reason, message: describeWait(phase, sight) };
    case 'loading':
      return phase.trouble === undefined ? {} : { reason: phase.trouble.code, message: phase.trouble.words };
    case 'failed':
      return { ...(phase.code === undefined ? {} : { reason: phase.code }), message: phase.reason };
    case 'draining':
    case 'stopping':
      return phase.cause === undefined ? {} : describeCause(phase.cause, nameOf);
    case 'unloaded':
      return refusal === undefined ? {} : whyRefused(refusal);
    case 'ready':
      return {};
    default:
      return assertNever(phase);
  }
}

/** Why a request for it would be refused, though nothing has been tried. */
function whyRefused(refusal: Refusal): Why {
  switch (refusal.kind) {
    case 'not-accepted':
      return { reason: refusal.reason, message: refusal.message };
    case 'pool-paused':
      return { reason: 'PoolPaused', message: `its pool ${refusal.pool} is paused` };
    case 'pool-not-found':
      return { reason: 'PoolNotFound', message: `its pool ${refusal.pool} does not exist` };
    case 'autoload-off':
      return { reason: 'AutoloadOff', message: 'only an order loads it: requests do not' };
    case 'too-large':
      return { reason: 'TooLarge', message: lackOf(refusal.because) };
    case 'load-failed':
      return { ...(refusal.code === undefined ? {} : { reason: refusal.code }), message: refusal.reason };
    default:
      return assertNever(refusal);
  }
}
