import Type from 'typebox';
import { dnsLabel, dnsName } from './common-schemas.ts';
import { list, object, oneOf, text, whole } from './schema-kit.ts';

/** What one report may have: an API server takes no report that has more of anything. */
export const MAX_REPORTED = 512;
export const MAX_ORDERS = 64;
/** Fewer than a model may have replicas. It is enough that one of those that are meant is named: see `fitReport`. */
export const MAX_ORDER_PODS = 32;

/** The largest number that a gate may have: those above it cannot be told from each other any more. */
export const LARGEST_EPOCH = Number.MAX_SAFE_INTEGER;

const uid = (description: string): Type.TString => text('a uid', description, { maxLength: 64 });
const count = (description: string): Type.TInteger => whole(description, 0, 1_000_000_000);
/** What only grows while an edge runs: a billion requests are eleven days at a thousand a second. */
const total = (description: string): Type.TInteger => whole(description, 0, Number.MAX_SAFE_INTEGER);
const seconds = (description: string): Type.TNumber =>
  Type.Number({ minimum: 0, maximum: 1_000_000_000, title: 'a number of seconds', description });

const preset = {
  deploymentUid: uid('The uid of its ModelDeployment.'),
  preset: dnsLabel('the name of a preset', 'Its name there.'),
};

const Model = object('What the edge has seen of one preset.', {
  ...preset,
  inFlight: count('Requests that were handed to a replica and have not ended.'),
  waiting: count('Requests that are held.'),
  oldestWaitSeconds: seconds('How long the oldest of them has been held; 0: none is.'),
  startedTotal: total('Requests handed to a replica since the edge started.'),
  finishedTotal: total('Those of them that have ended.'),
  idleSeconds: Type.Optional(
    seconds(
      'Since the end of the last request, when the report was written. Missing: requests are in flight, or there never was one.',
    ),
  ),
});

const Replica = object('What the edge has in flight at one pod.', {
  podUid: uid('The uid of the pod.'),
  inFlight: count('Requests in flight there.'),
});

const Ack = object('The edge has stopped to assign requests to a pod.', {
  podUid: uid('The uid of the pod.'),
  epoch: whole("The number of the pod's gate that it has seen.", 0, LARGEST_EPOCH),
});

const Order = object('What a client has ordered.', {
  id: text('an id', 'The same order is never carried out twice.', { maxLength: 64 }),
  kind: oneOf('What is wanted.', ['Load', 'Unload']),
  ...preset,
  podUids: list(
    'Of Unload: the pods that are meant, and no later ones. None: it takes back an order to load.',
    uid('The uid of a pod.'),
    MAX_ORDER_PODS,
  ),
});

export const ReportSchema = object('What one edge has seen. Durations, never times: two clocks are never compared.', {
  edge: object('Who reports.', {
    podName: dnsName('the name of a pod', "The edge's pod, whose name the report has."),
    podUid: uid('Its uid.'),
  }),
  bootId: text('an id', 'New each time the edge starts: totals begin at 0 then.', { maxLength: 64 }),
  sequence: whole('Grows by one with each report of a boot.', 0, Number.MAX_SAFE_INTEGER),
  models: list(
    'Presets with requests in flight or waiting, with a loaded replica, or changed since the last report.',
    Model,
    MAX_REPORTED,
  ),
  replicas: list('Pods with requests in flight.', Replica, MAX_REPORTED),
  acks: list('Gates that are seen closed, or were opened again.', Ack, MAX_REPORTED),
  orders: list('Orders that are not carried out yet.', Order, MAX_ORDERS),
});

export type EdgeReportBody = Type.Static<typeof ReportSchema>;
