import { percentile, renderTable } from '../../support/figures.ts';
import type { PlaneFigures } from './plane-figures.ts';
import type { EdgeFigures } from './simulated-edge.ts';

/** What was seen of one number of edges. */
export interface ScaleSample {
  readonly edges: number;
  readonly seconds: number;
  readonly before: PlaneFigures;
  readonly after: PlaneFigures;
  /** CPU seconds of the operator, and of the process in which all edges are. */
  readonly operator: number;
  readonly allEdges: number;
  /** MiB. */
  readonly operatorResident: number;
  readonly figures: EdgeFigures;
  readonly requests: number;
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

/** A table with a column for each number of edges. */
export function renderScale(samples: readonly ScaleSample[]): string {
  const row = (title: string, of: (sample: ScaleSample) => string): string[] => [title, ...samples.map(of)];
  const rate = (of: (figures: PlaneFigures) => number, digits = 1) => {
    return ({ before, after, seconds }: ScaleSample): string => ((of(after) - of(before)) / seconds).toFixed(digits);
  };
  const share = (of: (sample: ScaleSample) => number) => {
    return (sample: ScaleSample): string => ((100 * of(sample)) / sample.seconds).toFixed(1);
  };
  const rows = [
    row('requests a second', ({ requests, seconds }) => (requests / seconds).toFixed(1)),
    row('of them held', ({ figures, seconds }) => (figures.waits.length / seconds).toFixed(1)),
    ...KINDS.map(([title, resources]) =>
      row(
        `writes a second ${title}`,
        rate((all) => ofKind(all, resources)),
      ),
    ),
    row(
      'kB a second written by etcd',
      rate(({ etcdBytes }) => etcdBytes / 1000),
    ),
    row(
      '% of a core: operator',
      share(({ operator }) => operator),
    ),
    row(
      '% of a core: API server',
      share(({ before, after }) => after.apiServer - before.apiServer),
    ),
    row(
      '% of a core: etcd',
      share(({ before, after }) => after.etcd - before.etcd),
    ),
    row(
      '% of a core: all edges, without HTTP',
      share(({ allEdges }) => allEdges),
    ),
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
