import { DEFAULT_CORS, type CorsPolicy } from './cors.ts';
import type { ClosedName } from './endpoints.ts';

/** What clients may ask for, and from where. */
export interface Surface {
  /** Endpoints that are open beside those that always are. */
  readonly opened: readonly ClosedName[];
  readonly cors: CorsPolicy;
}

export const DEFAULT_SURFACE: Surface = { opened: [], cors: DEFAULT_CORS };
