import type { RouteBoard } from '../../../../src/routing/route.ts';
import type { Declarations } from './declarations.ts';
import type { EventClock } from './event-clock.ts';
import type { PhysicalBackend } from './physical-backend.ts';
import type { ReportedActivity } from './reported-activity.ts';
import type { Traffic } from './traffic.ts';
import type { Wants } from './wants.ts';

/** What is looked at to see whether every promise is kept. */
export interface WatchedWorld {
  readonly clock: EventClock;
  readonly board: RouteBoard;
  readonly declarations: Declarations;
  readonly backend: PhysicalBackend;
  readonly source: ReportedActivity;
  readonly traffic: Traffic;
  readonly wants: Wants;
}
