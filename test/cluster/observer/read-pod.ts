import Type from 'typebox';
import type { ApiObject } from '../support/api-client.ts';
import { isClosed } from '../support/pod-gate.ts';
import { isReady } from '../support/test-cluster.ts';
import { amountsOf } from './amounts.ts';
import { foreignOf } from './foreign.ts';
import type { Amounts, PodFacts } from './history.ts';
import { namespaceOf, parsed } from './read-object.ts';

const Waiting = Type.Object({ reason: Type.Optional(Type.String()) });
const Container = Type.Object({
  name: Type.String(),
  state: Type.Optional(
    Type.Object({
      running: Type.Optional(Type.Unknown()),
      waiting: Type.Optional(Waiting),
      terminated: Type.Optional(Type.Unknown()),
    }),
  ),
});
const Containers = Type.Optional(Type.Array(Container));

const Pod = Type.Object({
  metadata: Type.Object({
    ownerReferences: Type.Optional(
      Type.Array(Type.Object({ kind: Type.String(), uid: Type.String(), controller: Type.Optional(Type.Boolean()) })),
    ),
  }),
  status: Type.Optional(
    Type.Object({
      phase: Type.Optional(Type.String()),
      conditions: Type.Optional(Type.Array(Type.Object({ type: Type.String(), status: Type.String() }))),
      containerStatuses: Containers,
      initContainerStatuses: Containers,
    }),
  ),
});
type Status = NonNullable<Type.Static<typeof Pod>['status']>;

const LLAMA_SERVER = 'llama-server';

export function readPod(object: ApiObject): PodFacts {
  const { metadata, status = {} } = parsed(Pod, object);
  const { labels = {}, annotations = {}, deletionTimestamp } = object.metadata;
  const [controller] = (metadata.ownerReferences ?? []).filter((owner) => owner.controller === true);
  return {
    uid: object.metadata.uid,
    name: object.metadata.name,
    namespace: namespaceOf(object),
    owner: controller?.kind === 'ModelDeployment' ? controller.uid : undefined,
    preset: textOf(labels['corral.dev/preset']),
    pool: textOf(annotations['corral.dev/pool']),
    bin: annotations['corral.dev/bin'],
    footprint: footprintOf(annotations['corral.dev/footprint']),
    rendered: textOf(annotations['corral.dev/rendered']),
    isReady: isReady(object),
    isDeleting: deletionTimestamp !== undefined,
    isLeaving: isClosed(object.metadata),
    ...endOf(status),
    isStuck: isStuck(status),
    foreign: foreignOf(object),
  };
}

/** What somebody has removed matches nothing. */
const textOf = (mark: string | undefined): string => (mark === undefined ? '' : mark);

/** What somebody has made unreadable says nothing. */
function footprintOf(text: string | undefined): Amounts {
  try {
    const quantities: unknown = JSON.parse(textOf(text));
    return isQuantities(quantities) ? amountsOf(quantities) : new Map();
  } catch {
    return new Map();
  }
}

const isQuantities = (value: unknown): value is Readonly<Record<string, string | number>> =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((one) => typeof one === 'string' || typeof one === 'number');

/** While these are what a container waits for, all is well. */
const ON_THE_WAY = ['PodInitializing', 'ContainerCreating'];

function isStuck({ conditions = [], containerStatuses = [], initContainerStatuses = [] }: Status): boolean {
  const noNode = conditions.some(({ type, status }) => type === 'PodScheduled' && status === 'False');
  const waitsFor = [...containerStatuses, ...initContainerStatuses].flatMap(
    ({ state }) => state?.waiting?.reason ?? [],
  );
  return noNode || waitsFor.some((reason) => !ON_THE_WAY.includes(reason));
}

function endOf(status: Status): Pick<PodFacts, 'hasEnded' | 'isServerOver'> {
  const { phase, containerStatuses = [], initContainerStatuses = [] } = status;
  const isOver = phase === 'Failed' || phase === 'Succeeded';
  const runs = [...containerStatuses, ...initContainerStatuses].some(({ state }) => state?.running !== undefined);
  const server = containerStatuses.find(({ name }) => name === LLAMA_SERVER);
  const hasEnded = isOver && !runs;
  return { hasEnded, isServerOver: hasEnded || server?.state?.terminated !== undefined };
}
