import type { Search } from './search-model.ts';

/** A search of the model as it is. */
export interface NamedSearch extends Search {
  readonly title: string;
}

/** A planner that orders what it likes, so many times. */
const anyPlan = (orders: number, ...more: readonly string[]): Search => ({
  defines: ['ANY_PLAN', `ORDERS=${orders}`, ...more],
  what: 'states',
});

/** A planner that goes by what the edges report. */
const byDemand = (...defines: readonly string[]): Search => ({ defines, what: 'runs' });

/** What goes wrong, one at a time. */
const FAULTS = [
  ['EDGE_CRASHES', 'an edge is killed'],
  ['SILENCES', 'an edge falls silent'],
  ['LEADER_CRASHES', 'the leader changes'],
  ['LOST_WRITES', 'the answer to a write is lost, and the write may come late'],
] as const;

const eachFault = (orders: number): readonly NamedSearch[] =>
  FAULTS.map(([name, words]) => ({
    title: `whatever is planned, ${orders} orders: ${words}`,
    ...anyPlan(orders, `${name}=1`),
  }));

const onePod = (orders: number): NamedSearch => ({
  title: `whatever is planned of one pod, ${orders} orders: ${FAULTS[3][1]}`,
  ...anyPlan(orders, 'TOUCHED=1', 'LOST_WRITES=1'),
});

/** Those that `npm test` makes: each in seconds. */
export const QUICK_PLANNED: readonly NamedSearch[] = [...eachFault(2), onePod(5)];
export const QUICK_BY_DEMAND: readonly NamedSearch[] = [
  { title: 'by demand: a model goes to zero meanwhile', ...byDemand('IDLE_DRAINS=1') },
  { title: 'by demand: an edge is killed, and comes again or does not', ...byDemand('EDGE_CRASHES=1') },
  { title: 'by demand: an edge is cut off or stopped, for a while or for ever', ...byDemand('SILENCES=1') },
  { title: 'by demand: the leader changes', ...byDemand('LEADER_CRASHES=1') },
  { title: 'by demand of one client: a ModelDeployment is deleted', ...byDemand('REMOVALS=1', 'OTHER_ASKS=0') },
];

/** Those of `npm run prove -- drain-model`, by the number of orders that a planner may give. */
export const FULL: Readonly<Record<'one-fault' | 'all-faults' | 'one-pod' | 'demand', Searches>> = {
  'one-fault': eachFault,
  'all-faults': (orders) => [
    {
      title: `whatever is planned, ${orders - 1} orders: all of these, once each`,
      ...anyPlan(orders - 1, ...FAULTS.map(([name]) => `${name}=1`)),
    },
  ],
  'one-pod': (orders) => [onePod(orders + 2), onePod(orders + 3)],
  demand: () => [
    { title: 'by demand: each client asks twice', ...byDemand('ASKS=2') },
    { title: 'by demand: a ModelDeployment is deleted', ...byDemand('REMOVALS=1') },
    {
      title: 'by demand: an edge is killed, one is silent, and the leader changes',
      ...byDemand('EDGE_CRASHES=1', 'SILENCES=1', 'LEADER_CRASHES=1'),
    },
  ],
};
type Searches = (orders: number) => readonly NamedSearch[];

/** Something that is wrong on purpose, which the search must find. */
export interface PlantedFault extends Search {
  /** As it is called in the model. */
  readonly name: string;
  /** What it breaks, as the model says it. */
  readonly breaks: string;
}

const CUT = 'S2: no request is cut';
const WAITS = 'nobody waits for ever';
const shortest = (name: string, breaks: string, ...defines: readonly string[]): PlantedFault => ({
  name,
  breaks,
  defines: [name, ...defines],
  what: 'shortest',
});

export const PLANTED: readonly PlantedFault[] = [
  shortest('EXPIRED_IS_DEAD', CUT, 'ANY_PLAN', 'SILENCES=1'),
  shortest('NO_LIST_AGAIN', CUT, 'ANY_PLAN'),
  shortest('ACK_FIRST', CUT, 'ANY_PLAN'),
  shortest('CANCEL_BLIND', CUT, 'ANY_PLAN', 'ORDERS=5', 'TOUCHED=1', 'LOST_WRITES=1'),
  shortest('DELETE_BLIND', CUT, 'ANY_PLAN', 'LOST_WRITES=1'),
  shortest('LIST_BEFORE_CLOSING', CUT, 'ANY_PLAN'),
  shortest('ANY_ACK', CUT, 'ANY_PLAN', 'ORDERS=3', 'TOUCHED=1'),
  shortest('FREE_AT_DELETE', 'S1: capacity is never exceeded', 'ANY_PLAN'),
  shortest('CREATE_UNASKED', 'S3: nothing is made for what is gone', 'REMOVALS=1'),
  shortest('NO_LOOKS', WAITS, 'SILENCES=1'),
  shortest('NEVER_BURIED', WAITS, 'EDGE_CRASHES=1'),
  shortest('CUT_IS_NO_END', 'S9: each request has one end', 'EDGE_CRASHES=1'),
  { name: 'REPORT_AGAIN', breaks: 'a run has no end', defines: ['REPORT_AGAIN'], what: 'runs' },
];
