import type { EdgeReportBody } from '../api/edge-report-schema.ts';

/** Of a report as JSON. Every edge writes one, and every operator reads all of them, many times a minute. */
export const MAX_REPORT_BYTES = 32 * 1024;
/** As the schema has it. */
const MAX_ITEMS = 512;
export const MAX_ORDERS = 64;

type ReportedModel = EdgeReportBody['models'][number];

/**
 * Leaves out as much of a report as has to go, in this order, each only if that is not enough:
 *
 * 1. presets that are idle and that nobody waits for, idle longest first: they seem never to have been used here;
 * 2. presets that are waited for and not in use, latest wait first: their turn comes when others are served;
 * 3. presets in use: that they are is still said by their replicas;
 * 4. acknowledgements: without its word, nothing that an edge could use is stopped.
 *
 * Requests in flight at a replica are never left out: to the operator they would be none, and be cut.
 */
export function fitReport(report: EdgeReportBody): EdgeReportBody {
  const models = [...report.models].sort(byImportance);
  const bounded = {
    ...report,
    models: models.slice(0, MAX_ITEMS),
    acks: report.acks.slice(0, MAX_ITEMS),
    orders: report.orders.slice(0, MAX_ORDERS),
  };
  const spare = MAX_REPORT_BYTES - sizeOf({ ...bounded, models: [], acks: [] });
  const acks = takeWhile(bounded.acks, spare);
  return { ...bounded, acks, models: takeWhile(bounded.models, spare - sizeOfAll(acks)) };
}

/** In use first, then the longest waits, then the shortest idle times. */
function byImportance(a: ReportedModel, b: ReportedModel): number {
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (a.oldestWaitSeconds !== b.oldestWaitSeconds) return b.oldestWaitSeconds - a.oldestWaitSeconds;
  return idleOf(a) - idleOf(b);
}

function rank({ inFlight, waiting }: ReportedModel): number {
  if (inFlight > 0) return 0;
  return waiting > 0 ? 1 : 2;
}

const idleOf = ({ idleSeconds }: ReportedModel): number => (idleSeconds === undefined ? 0 : idleSeconds);

/** The first items that fit into `bytes` together. */
function takeWhile<T extends object>(items: readonly T[], bytes: number): T[] {
  let left = bytes;
  return items.filter((item) => {
    left -= sizeOf(item) + 1;
    return left >= 0;
  });
}

const sizeOfAll = (items: readonly object[]): number => items.reduce((sum, item) => sum + sizeOf(item) + 1, 0);

const sizeOf = (item: object): number => Buffer.byteLength(JSON.stringify(item));
