import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Ledger } from '../activity/ledger.ts';
import type { UpstreamError } from '../domain/ended-request.ts';
import type { Instant } from '../domain/units.ts';
import type { Log } from '../platform/log.ts';
import type { ModelPlan } from '../routing/model-plan.ts';
import type { Route, RouteBoard } from '../routing/route.ts';
import type { Sight } from '../routing/sight.ts';
import type { Access } from './access.ts';
import type { AnswerMeter } from './answer-meter.ts';
import type { Answer } from './answer.ts';
import type { BoundedCount } from './bounded-count.ts';
import type { CorsPolicy } from './cors.ts';
import type { Endpoint } from './endpoints.ts';
import type { FindEndpoint } from './find-endpoint.ts';
import type { HoldQueue } from './hold-queue.ts';
import type { KeyRing } from './key-ring.ts';
import type { EdgeLimits } from './limits.ts';
import type { EdgeObserver } from './observer.ts';
import type { Orders } from './orders.ts';
import type { BodyShare } from './read-body.ts';
import type { Upstreams } from './upstreams.ts';

/** What all requests share. */
export interface EdgeContext {
  readonly board: RouteBoard;
  readonly ledger: Ledger;
  readonly orders: Orders;
  readonly log: Log;
  readonly observer: EdgeObserver;
  readonly now: () => Instant;
  readonly limits: EdgeLimits;
  /** What the list of models says of their creation, in seconds since 1970. */
  readonly created: number;
  /** The keys that requests must come with; missing: none are asked for. */
  readonly keys?: KeyRing;
  /**
   * What would become of a request for a model, with the names of those models only that are seen; missing: somebody else
   * decides that. `undefined`: it is declared no more.
   */
  readonly planOf?: (route: Route, sight: Sight) => ModelPlan | undefined;
  readonly findEndpoint: FindEndpoint;
  readonly cors: CorsPolicy;
  readonly upstreams: Upstreams;
  readonly holds: HoldQueue;
  /** Requests for models whose answer has not ended. */
  readonly exchanges: BoundedCount;
  /** Bytes of all request bodies in memory: being read, held, or in flight. */
  readonly bodies: BoundedCount;
  /** It is to end soon, but serves on. */
  isLeaving(): boolean;
  isStopping(): boolean;
}

/** One request, from its head to the end of its answer. */
export interface Visit {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** What is sent to the client by or on behalf of a replica, and every error after that has begun. */
  readonly answer: Answer;
  /** The address that it comes from, by the word of trusted proxies. */
  readonly client: string;
  /** The trusted proxy that it came through, if it did. */
  readonly proxy: string | undefined;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  readonly arrived: Instant;
  readonly share: BodyShare;
  /** What it asks for, once that is known. */
  endpoint: Endpoint | undefined;
  readonly meter: AnswerMeter;
  /** The name of the client's key, once it was found to be good. */
  keyId: string | undefined;
  /** What the client may do and see: nothing, until it was let in. */
  access: Access;
  /** Ends the count of the request among those of its key, once there is one. A second call changes nothing. */
  endKeyUse: (() => void) | undefined;
  /** The client's, if it may be told on, else one that was made for it. */
  readonly requestId: string;
  /** The canonical name of the model, once it is known to be declared. */
  model: string | undefined;
  /** Milliseconds spent in a queue. */
  waited: number;
  /** The milliseconds of them in which its model was loading. */
  loading: number;
  /** It is one of `exchanges`. */
  counted: boolean;
  /** The last way in which a replica failed it. */
  upstreamError: UpstreamError | undefined;
  /** The answer is out, or its client has left: nothing may be reserved for it any more. */
  ended: boolean;
  /** What is reserved for it, and given back when it ends, or before. */
  reserved: Reservation | undefined;
}

/** Something that a visit holds. */
export interface Reservation {
  /** Gives it back. A second time it changes nothing. */
  release(): void;
}
