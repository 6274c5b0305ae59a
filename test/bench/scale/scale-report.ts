import { percentile, renderTable } from '../../support/figures.ts';
import type { PlaneFigures } from './plane-figures.ts';
import type { EdgeFigures } from './simulated-edge.ts';

/** What all have done so far. */
export interface Look {
  /** Milliseconds, of the process's own clock. */
  readonly at: number;
  readonly plane: PlaneFigures;
  /** CPU seconds of the operator, and of the process in which all edges are. */
  readonly operator: number;
  readonly allEdges: number;
  readonly requests: number;
}

/** What was seen of one number of edges. */
export interface ScaleSample {
  readonly edges: number;
  readonly before: Look;
  readonly after: Look;
  /** MiB. */
  readonly operatorResident: number;
  /** What edges have noted between the two. */
  readonly figures: EdgeFigures;
}

/** Kinds of writes that are told apart. The paper node's own are left out: a kubelet makes them in any cluster. */
const KINDS = [
  ['of reports', ['edgereports']],
  ['of Leases', ['leases']],
  ['of pods and gates', ['pods']],
  ['of statuses of models', ['modeldeployments/status']],
  ['of statuses of pools', ['modelpools/status']],
  ['of Events', ['events']],
] as const;

const ofKind = ({ writes }: PlaneFigures, resources: readonly string[]): number =>
  [...writes].filter(([name]) => resources.includes(name)).reduce((sum, [, count]) => sum + count, 0);

const p = (values: readonly number[], share: number): string =>
  values.length === 0 ? '' : percentile(values, share).toFixed(1);

const perSecond = ({ before, after }: ScaleSample, count: number): string =>
  ((count * 1000) / (after.at - before.at)).toFixed(1);

/** A table with a column for each number of edges. */
export function renderScale(samples: readonly ScaleSample[]): string {
  const row = (title: string, of: (sample: ScaleSample) => string): string[] => [title, ...samples.map(of)];
  const rate = (title: string, of: (look: Look) => number): string[] =>
    row(title, (sample) => perSecond(sample, of(sample.after) - of(sample.before)));
  const rows = [
    rate('requests a second', ({ requests }) => requests),
    row('of them held', (sample) => perSecond(sample, sample.figures.waits.length)),
    ...KINDS.map(([title, resources]) => rate(`writes a second ${title}`, ({ plane }) => ofKind(plane, resources))),
    rate('kB a second written by etcd', ({ plane }) => plane.etcdBytes / 1000),
    rate('% of a core: operator', ({ operator }) => operator * 100),
    rate('% of a core: API server', ({ plane }) => plane.apiServer * 100),
    rate('% of a core: etcd', ({ plane }) => plane.etcd * 100),
    rate('% of a core: all edges, without HTTP', ({ allEdges }) => allEdges * 100),
    row('operator, MiB at most', ({ operatorResident }) => operatorResident.toFixed(0)),
    row('ms from the first waiter to its report on its way, p50', ({ figures }) => p(figures.untilReporting, 0.5)),
    row('p99', ({ figures }) => p(figures.untilReporting, 0.99)),
    row('ms from the first waiter to its report written, p50', ({ figures }) => p(figures.untilReported, 0.5)),
    row('p99', ({ figures }) => p(figures.untilReported, 0.99)),
    row('ms from the request to its pod, of those held, p50', ({ figures }) => p(figures.waits, 0.5)),
    row('p99', ({ figures }) => p(figures.waits, 0.99)),
    row('requests refused', ({ figures }) => String(figures.refused)),
  ];
  return renderTable(['', ...samples.map(({ edges }) => `${edges} edges`)], rows);
}
