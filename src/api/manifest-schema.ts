import Type from 'typebox';
import { ReportSchema } from './edge-report-schema.ts';
import { MetadataSchema } from './metadata-schema.ts';
import { ModelDeploymentSpecSchema, ModelDeploymentStatusSchema } from './model-deployment-schema.ts';
import { ModelPoolSpecSchema, ModelPoolStatusSchema } from './model-pool-schema.ts';
import { object, oneOf } from './schema-kit.ts';

/**
 * The schemas of Corral's objects: the one source of their types, of what is accepted, of the CRDs and of docs/api.md.
 */
export const GROUP = 'corral.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;

const header = <const Kind extends string>(
  kind: Kind,
): { apiVersion: Type.TUnsafe<typeof API_VERSION>; kind: Type.TUnsafe<Kind>; metadata: typeof MetadataSchema } => ({
  apiVersion: oneOf('The version of this schema.', [API_VERSION]),
  kind: oneOf('The kind of object.', [kind]),
  metadata: MetadataSchema,
});

/** modeldeployments.corral.dev: models and how llama-server runs them. */
export const ModelDeploymentSchema = object('Models, and how llama-server runs them.', {
  ...header('ModelDeployment'),
  spec: ModelDeploymentSpecSchema,
  status: Type.Optional(ModelDeploymentStatusSchema),
});

/** modelpools.corral.dev: what models compete for. */
export const ModelPoolSchema = object('What models compete for.', {
  ...header('ModelPool'),
  spec: Type.Optional(ModelPoolSpecSchema),
  status: Type.Optional(ModelPoolStatusSchema),
});

/** edgereports.corral.dev: what one edge has seen. */
export const EdgeReportSchema = object('What one edge has seen. Written by that edge, read by the operator.', {
  ...header('EdgeReport'),
  report: ReportSchema,
});

export type ModelDeployment = Type.Static<typeof ModelDeploymentSchema>;
export type ModelPool = Type.Static<typeof ModelPoolSchema>;
export type EdgeReport = Type.Static<typeof EdgeReportSchema>;
