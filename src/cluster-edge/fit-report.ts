import { MAX_ORDER_PODS, MAX_ORDERS, MAX_REPORTED, type EdgeReportBody } from '../api/edge-report-schema.ts';

/** Of a report as JSON. Every edge writes one, and every operator reads all of them, many times a minute. */
export const MAX_REPORT_BYTES = 32 * 1024;
/** Of its orders while they can be shortened: the other half is for what is acknowledged, in use and waited for. */
const MAX_ORDER_BYTES = MAX_REPORT_BYTES / 2;

type ReportedModel = EdgeReportBody['models'][number];
type Reported<Field extends 'replicas' | 'acks' | 'orders'> = EdgeReportBody[Field][number];

/**
 * Leaves out as much of a report as has to go, in this order, each only if that is not enough:
 *
 * 1. presets that are idle and that nobody waits for, idle longest first: they seem never to have been used here;
 * 2. presets that are waited for and not in use, latest wait first: their turn comes when others are served;
 * 3. presets in use: that they are is still said by their replicas;
 * 4. acknowledgements: without its word, nothing that an edge could use is stopped.
 *
 * Requests in flight at a replica are never left out for that: to the operator they would be none, and be cut. What the schema has no
 * room for is left out before; of replicas together with what would let them be stopped. Orders name fewer pods before anything of
 * that, so that they take no more than half; whole ones, the latest first, go only where requests in flight leave no room for them.
 */
export function fitReport(report: EdgeReportBody): EdgeReportBody {
  const bounded = fitOrders(fitLists(report));
  const spare = MAX_REPORT_BYTES - sizeOf({ ...bounded, models: [], acks: [] });
  const acks = takeWhile(bounded.acks, spare);
  return { ...bounded, acks, models: takeWhile(bounded.models, spare - sizeOfAll(acks)) };
}

/** The whole report is refused for one list that is too long: then this edge would be heard of no more. */
function fitLists(report: EdgeReportBody): EdgeReportBody {
  const [replicas, untold] = [report.replicas.slice(0, MAX_REPORTED), report.replicas.slice(MAX_REPORTED)];
  return {
    ...report,
    models: [...report.models].sort(byImportance).slice(0, MAX_REPORTED),
    replicas,
    acks: acksBeside(report.acks, untold).slice(0, MAX_REPORTED),
    orders: report.orders.slice(0, MAX_ORDERS),
  };
}

/** All name equally many pods, as many as fit into half of the report, and into what requests in flight leave of it; each of its own at least one. */
function fitOrders(report: EdgeReportBody): EdgeReportBody {
  const spare = MAX_REPORT_BYTES - sizeOf({ ...report, models: [], acks: [], orders: [] });
  const room = Math.min(MAX_ORDER_BYTES, spare);
  let most = MAX_ORDER_PODS;
  let orders = withPods(report.orders, most);
  while (most > 1 && sizeOfAll(orders) > room) {
    most -= 1;
    orders = withPods(report.orders, most);
  }
  return { ...report, orders: takeWhile(orders, spare) };
}

/** Of a replica whose requests are not told no acknowledgement goes out: with it they would be none. It goes when they have ended. */
function acksBeside(acks: readonly Reported<'acks'>[], untold: readonly Reported<'replicas'>[]): Reported<'acks'>[] {
  const pods = new Set(untold.map(({ podUid }) => podUid));
  return acks.filter(({ podUid }) => !pods.has(podUid));
}

/** The operator unloads the whole model if any replica that is named is still there: the others are not missed. */
const withPods = (orders: readonly Reported<'orders'>[], most: number): Reported<'orders'>[] =>
  orders.map((order) => ({ ...order, podUids: order.podUids.slice(0, most) }));

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
