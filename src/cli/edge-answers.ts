import type { AdminAnswer } from '../admin/admin-server.ts';
import { documentAnswer } from '../admin/document-answer.ts';
import { metricsAnswer, type Scraped } from '../admin/metrics-answer.ts';
import type { ClosedName } from '../edge/endpoints.ts';
import { renderOpenApi } from '../edge/openapi/render-open-api.ts';
import type { Log } from '../platform/log.ts';
import { readVersion } from './version.ts';

/** What an edge answers its administrator beside the probes. `opened`: endpoints that are open beside those that always are. */
export const edgeAnswers = (
  scraped: Scraped,
  opened: readonly ClosedName[],
  log: Log,
): ReadonlyMap<string, AdminAnswer> =>
  new Map([
    ['/metrics', metricsAnswer(scraped, log)],
    ['/openapi.json', documentAnswer(() => renderOpenApi({ version: readVersion(), opened }))],
  ]);
