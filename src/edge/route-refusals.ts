import { assertNever } from '../domain/assert-never.ts';
import { since, type Duration, type Instant } from '../domain/units.ts';
import type { Refusal as RouteRefusal, Route, Waits } from '../routing/route.ts';
import type { Sight } from '../routing/sight.ts';
import { lackOf } from '../routing/too-large.ts';
import type { Refusal } from './refusal.ts';
import { MAX_CONNECTIONS } from './upstream.ts';

/** A name is cut at this length in messages: it came from a client and may be megabytes long. */
const MAX_SHOWN_NAME = 256;
/** Lines of a failed llama-server that a client gets to see, and the characters of each. */
const MAX_LOG_LINES = 10;
const MAX_LOG_LINE = 300;
/** What a client is told to wait where nobody has measured how long it takes, in seconds. */
const GUESSED_LOAD = 5;

/** Nobody declares this name (any more). */
export const modelNotFound = (name: string): Refusal => ({
  status: 404,
  code: 'model_not_found',
  message: `the model ${JSON.stringify(name.slice(0, MAX_SHOWN_NAME))} does not exist`,
});

export const modelNotLoaded = (route: Route): Refusal => ({
  status: 400,
  code: 'model_not_loaded',
  message: `the model ${JSON.stringify(route.preset.model)} is not loaded: load it with POST /models/load`,
});

const waiting = (count: number): string => `${count} ${count === 1 ? 'request waits' : 'requests wait'}`;

/** Too many wait for the model already. */
export const queueFull = (route: Route): Refusal => ({
  status: 429,
  code: 'queue_full',
  message: `${waiting(route.preset.queue.maxWaiting)} for the model ${JSON.stringify(route.preset.model)} already`,
  retryAfter: secondsToLoad(route),
});

/** Too many wait already, for whatever model. */
export const queuesFull = (route: Route, maxWaiting: number): Refusal => ({
  status: 429,
  code: 'queue_full',
  message: `${waiting(maxWaiting)} for models already`,
  retryAfter: secondsToLoad(route),
});

/** There are as many requests for models as there may be. */
export const busy = (maxInFlight: number): Refusal => ({
  status: 503,
  code: 'overloaded',
  message: `${maxInFlight} ${maxInFlight === 1 ? 'request is' : 'requests are'} in flight already`,
  retryAfter: 1,
});

/** What clients have ordered already fills all that can be passed on. */
export const tooManyOrders: Refusal = {
  status: 503,
  code: 'overloaded',
  message: 'too many orders are open already: nothing is ordered',
  retryAfter: 1,
};

/** It was not ready in time. `sight`: that of whoever has waited. */
export function waitTimeout(route: Route, waited: Duration, sight: Sight): Refusal {
  const model = JSON.stringify(route.preset.model);
  return {
    status: 503,
    code: 'model_wait_timeout',
    message: `the model ${model} was not ready within ${Math.round(waited / 1000)} s: ${describePhase(route, sight)}`,
    retryAfter: secondsToLoad(route),
  };
}

/** Its replicas had no room for one more in time. */
export function full(route: Route, waited: Duration): Refusal {
  const model = JSON.stringify(route.preset.model);
  return {
    status: 503,
    code: 'model_wait_timeout',
    message: `the model ${model} had no room within ${Math.round(waited / 1000)} s: each of its replicas has ${MAX_CONNECTIONS} requests, and gets no more at a time`,
    retryAfter: 1,
  };
}

/** Its replicas were not gone in time. */
export function notUnloaded(route: Route, waited: Duration): Refusal {
  const model = JSON.stringify(route.preset.model);
  return {
    status: 503,
    code: 'model_wait_timeout',
    message: `the model ${model} was not unloaded within ${Math.round(waited / 1000)} s: ${describeStay(route)}`,
    retryAfter: GUESSED_LOAD,
  };
}

/** Why a replica that is to go is there. */
function describeStay({ phase }: Route): string {
  if (phase.kind === 'draining') return 'its requests have not ended';
  if (phase.kind === 'stopping') return 'it is still being stopped';
  return 'nobody has begun to unload it, or others have loaded it again meanwhile';
}

export const shuttingDown: Refusal = {
  status: 503,
  code: 'shutting_down',
  message: 'the server is shutting down',
  retryAfter: 1,
  close: true,
};

/** Why a request for a model that nobody will load now is not held. */
export function refusalOf(route: Route, refusal: RouteRefusal, now: Instant): Refusal {
  const model = JSON.stringify(route.preset.model);
  switch (refusal.kind) {
    case 'not-accepted':
      return {
        status: 503,
        code: 'model_not_accepted',
        message: `the model ${model} is not run as it is declared: ${refusal.reason}: ${refusal.message}`,
      };
    case 'load-failed':
      return {
        status: 503,
        code: 'model_load_failed',
        message: [`the model ${model} could not be loaded: ${refusal.reason}`, ...tail(refusal.logTail)].join('\n'),
        retryAfter: wholeSeconds(since(now, refusal.retryAt)),
      };
    case 'pool-paused':
      return {
        status: 503,
        code: 'pool_paused',
        message: `the pool ${JSON.stringify(refusal.pool)} of the model ${model} is paused`,
      };
    case 'pool-not-found':
      return {
        status: 503,
        code: 'pool_not_found',
        message: `the pool ${JSON.stringify(refusal.pool)} of the model ${model} does not exist`,
      };
    case 'autoload-off':
      return modelNotLoaded(route);
    case 'too-large':
      return {
        status: 503,
        code: 'model_too_large',
        message: `the model ${model} is too large for its pool: ${lackOf(refusal.because)}`,
      };
    default:
      return assertNever(refusal);
  }
}

const tail = (lines: readonly string[]): readonly string[] =>
  lines.slice(-MAX_LOG_LINES).map((line) => line.slice(0, MAX_LOG_LINE));

/** How long a load of this model takes, in whole seconds: when asking again makes sense. */
const secondsToLoad = (route: Route): number =>
  route.lastLoad === undefined ? GUESSED_LOAD : wholeSeconds(route.lastLoad);

const wholeSeconds = (duration: Duration): number => Math.max(1, Math.ceil(duration / 1000));

/** Reasons in whose words no other model can stand. */
const SPEAK_OF_ONE_MODEL: ReadonlySet<Waits['reason']> = new Set([
  'PoolNotFound',
  'PoolPaused',
  'NotAccepted',
  'AutoloadOff',
  'BackOff',
  'TooLarge',
  'Unschedulable',
  'MinResidency',
]);

/** Whoever may not see every model is told of no other. */
export function describeWait({ reason, because, position }: Waits, { seesAll }: Sight): string {
  const isTold = seesAll || SPEAK_OF_ONE_MODEL.has(reason);
  const place = position === undefined ? '' : `; it is number ${position} in the queue of its pool`;
  return `it waits for ${isTold ? because : 'room: taken by other models'}${place}`;
}

function describePhase({ phase }: Route, sight: Sight): string {
  switch (phase.kind) {
    case 'waiting':
      return describeWait(phase, sight);
    case 'loading':
      return phase.trouble === undefined ? 'it is still loading' : `it is still loading: ${phase.trouble.words}`;
    case 'draining':
    case 'stopping':
      return 'it is still being stopped';
    case 'unloaded':
      return 'it has not been started';
    case 'ready':
      return 'nobody answers where it runs';
    case 'failed':
      return phase.reason;
    default:
      return assertNever(phase);
  }
}
