import Type from 'typebox';
import { Value } from 'typebox/value';
import type { ApiObject } from '../support/api-client.ts';
import { amountsOf } from './amounts.ts';
import { foreignOf } from './foreign.ts';
import type {
  Amounts,
  ConditionFacts,
  DeclaredFacts,
  DeploymentFacts,
  PoolFacts,
  ReplicaRange,
  ReportFacts,
} from './history.ts';

const Quantities = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]));
const Layer = Type.Object({
  footprint: Type.Optional(Quantities),
  scaling: Type.Optional(
    Type.Object({ minReplicas: Type.Optional(Type.Integer()), maxReplicas: Type.Optional(Type.Integer()) }),
  ),
});
type Layer = Type.Static<typeof Layer>;

const Declared = Type.Object({
  metadata: Type.Object({ generation: Type.Integer() }),
  status: Type.Optional(
    Type.Object({
      observedGeneration: Type.Optional(Type.Integer()),
      conditions: Type.Optional(
        Type.Array(
          Type.Object({
            type: Type.String(),
            status: Type.String(),
            lastTransitionTime: Type.String(),
            observedGeneration: Type.Integer(),
          }),
        ),
      ),
    }),
  ),
});

const Deployment = Type.Object({
  spec: Type.Object({
    pool: Type.Optional(Type.String()),
    defaults: Type.Optional(Layer),
    presets: Type.Array(Type.Intersect([Layer, Type.Object({ name: Type.String() })])),
  }),
  status: Type.Optional(
    Type.Object({
      presets: Type.Optional(
        Type.Array(
          Type.Object({ name: Type.String(), phase: Type.String(), names: Type.Optional(Type.Array(Type.String())) }),
        ),
      ),
    }),
  ),
});

const Pool = Type.Object({
  spec: Type.Object({
    defaults: Type.Optional(Layer),
    capacity: Type.Optional(
      Type.Object({ maxLoaded: Type.Optional(Type.Integer()), resources: Type.Optional(Quantities) }),
    ),
  }),
});

const Report = Type.Object({
  report: Type.Object({
    edge: Type.Object({ podUid: Type.String() }),
    bootId: Type.String(),
    models: Type.Array(
      Type.Object({
        deploymentUid: Type.String(),
        preset: Type.String(),
        inFlight: Type.Integer(),
        startedTotal: Type.Integer(),
        finishedTotal: Type.Integer(),
      }),
    ),
    replicas: Type.Array(Type.Object({ podUid: Type.String(), inFlight: Type.Integer() })),
  }),
});

/** Throws what is wrong: an object that cannot be read would go unwatched. */
export function parsed<S extends Type.TSchema>(schema: S, object: ApiObject): Type.Static<S> {
  if (Value.Check(schema, object)) return object;
  const [first] = Value.Errors(schema, object);
  throw new Error(`${object.metadata.name} cannot be read: ${first?.instancePath ?? ''} ${first?.message ?? ''}`);
}

export const namespaceOf = ({ metadata }: ApiObject): string =>
  'namespace' in metadata && typeof metadata.namespace === 'string' ? metadata.namespace : '';

function readDeclared(object: ApiObject): DeclaredFacts {
  const { metadata, status = {} } = parsed(Declared, object);
  const { observedGeneration = 0, conditions = [] } = status;
  return {
    uid: object.metadata.uid,
    name: object.metadata.name,
    generation: metadata.generation,
    observed: observedGeneration,
    conditions: conditions.map((one): ConditionFacts => ({
      type: one.type,
      status: one.status,
      transition: one.lastTransitionTime,
      generation: one.observedGeneration,
    })),
    foreign: foreignOf(object),
  };
}

export function readDeployment(object: ApiObject): DeploymentFacts {
  const { spec, status = {} } = parsed(Deployment, object);
  const { presets = [] } = status;
  return {
    ...readDeclared(object),
    namespace: namespaceOf(object),
    pool: spec.pool ?? 'default',
    isDeleting: object.metadata.deletionTimestamp !== undefined,
    presets: spec.presets.map(({ name, ...layer }) => ({
      name,
      replicas: [spec.defaults, layer].map(rangeOf),
      footprint: footprintOf(layer.footprint),
    })),
    loaded: presets.flatMap(({ name, phase }) => (phase === 'Ready' ? [name] : [])),
    nameless: presets.flatMap(({ name, names = [] }) => (names.length === 0 ? [name] : [])),
  };
}

const rangeOf = (layer: Layer | undefined): ReplicaRange => ({
  least: layer?.scaling?.minReplicas,
  most: layer?.scaling?.maxReplicas,
});

const footprintOf = (quantities: Type.Static<typeof Quantities> | undefined): Amounts =>
  quantities === undefined ? new Map() : amountsOf(quantities);

export function readPool(object: ApiObject): PoolFacts {
  const { spec } = parsed(Pool, object);
  const { maxLoaded = 0, resources = {} } = spec.capacity ?? {};
  return {
    ...readDeclared(object),
    maxLoaded,
    resources: amountsOf(resources),
    replicas: rangeOf(spec.defaults),
  };
}

export function readReport(object: ApiObject): ReportFacts {
  const { report } = parsed(Report, object);
  return {
    uid: object.metadata.uid,
    name: object.metadata.name,
    namespace: namespaceOf(object),
    edge: report.edge.podUid,
    boot: report.bootId,
    models: report.models.map(({ deploymentUid, preset, inFlight, startedTotal, finishedTotal }) => ({
      key: `${deploymentUid}/${preset}`,
      inFlight,
      started: startedTotal,
      finished: finishedTotal,
    })),
    inFlight: new Map(report.replicas.map(({ podUid, inFlight }) => [podUid, inFlight])),
  };
}
