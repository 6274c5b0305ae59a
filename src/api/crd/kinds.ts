import type { TSchema } from 'typebox';
import { EdgeReportSchema, ModelDeploymentSchema, ModelPoolSchema } from '../manifest-schema.ts';

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  /** A JSON path, of which the first result is shown. */
  readonly path: string;
  readonly description: string;
  /** Only with `-o wide`. */
  readonly wide?: boolean;
}

/** What Kubernetes must know of a kind beside its schema. */
export interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly namespaced: boolean;
  /** Whether its status is written apart from its spec. */
  readonly hasStatus: boolean;
  readonly schema: TSchema;
  readonly columns: readonly Column[];
}

const AGE: Column = {
  name: 'Age',
  type: 'date',
  path: '.metadata.creationTimestamp',
  description: 'Since when it exists.',
};

const ready = (field: 'status' | 'reason' | 'message'): string => `.status.conditions[?(@.type=="Ready")].${field}`;

const MODEL_DEPLOYMENT: Kind = {
  kind: 'ModelDeployment',
  plural: 'modeldeployments',
  shortName: 'mdep',
  namespaced: true,
  hasStatus: true,
  schema: ModelDeploymentSchema,
  columns: [
    { name: 'Models', type: 'string', path: '.status.models', description: 'The model names.' },
    {
      name: 'Loaded',
      type: 'string',
      path: '.status.loaded',
      description: 'How many presets are loaded, of how many.',
    },
    { name: 'Ready', type: 'string', path: ready('status'), description: 'Whether every preset is loaded or can be.' },
    { name: 'Reason', type: 'string', path: ready('reason'), description: 'Why.' },
    AGE,
    { name: 'Pool', type: 'string', path: '.spec.pool', description: 'The ModelPool.', wide: true },
    { name: 'Message', type: 'string', path: ready('message'), description: 'Why, in words.', wide: true },
  ],
};

const MODEL_POOL: Kind = {
  kind: 'ModelPool',
  plural: 'modelpools',
  shortName: 'cpool',
  namespaced: false,
  hasStatus: true,
  schema: ModelPoolSchema,
  columns: [
    { name: 'Loaded', type: 'integer', path: '.status.loaded', description: 'Replicas that hold capacity.' },
    { name: 'Capacity', type: 'string', path: '.status.capacity', description: 'What fits.' },
    { name: 'Waiting', type: 'integer', path: '.status.waiting', description: 'Presets that find no room.' },
    AGE,
  ],
};

const EDGE_REPORT: Kind = {
  kind: 'EdgeReport',
  plural: 'edgereports',
  shortName: 'erep',
  namespaced: true,
  hasStatus: false,
  schema: EdgeReportSchema,
  columns: [
    { name: 'Sequence', type: 'integer', path: '.report.sequence', description: 'Reports written so far.' },
    AGE,
  ],
};

/** All kinds of Corral. */
export const KINDS: readonly Kind[] = [MODEL_DEPLOYMENT, MODEL_POOL, EDGE_REPORT];
