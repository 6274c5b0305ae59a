import Type from 'typebox';
import { DURATION_PATTERN } from './duration-text.ts';

/**
 * The schemas of Corral's objects: the one source of their types and of what is accepted. `title` completes the sentence
 * "must be …" in a message; `description` is for the reader of the schema.
 */
const closed = { additionalProperties: false } as const;

export const API_VERSION = 'corral.dev/v1alpha1';
export const CONTROLLER_NAME = 'corral.dev/operator';
export const ARG_PATTERN = '^--[a-z0-9][a-z0-9.\\-]*(=[\\s\\S]*)?$';

const DNS_LABEL = '^[a-z0-9]([a-z0-9\\-]{0,61}[a-z0-9])?$';
const DNS_SUBDOMAIN = '^[a-z0-9]([a-z0-9.\\-]{0,251}[a-z0-9])?$';

const duration = (description: string, initial?: string): Type.TString =>
  Type.String({
    pattern: DURATION_PATTERN,
    title: 'a duration such as 15m, 1h30m or 0s',
    description,
    ...(initial === undefined ? {} : { default: initial }),
  });

const flag = (description: string, initial: boolean): Type.TBoolean =>
  Type.Boolean({ title: 'true or false', description, default: initial });

const text = (title: string, description: string): Type.TString =>
  Type.String({ minLength: 1, maxLength: 4096, title, description });

const texts = Type.Record(Type.String(), Type.String({ title: 'a string' }), { title: 'a map of strings' });
const anything = Type.Record(Type.String(), Type.Unknown(), { title: 'an object' });
const list = Type.Array(Type.Unknown(), { title: 'a list' });
const modelName = text('a model name of 1 to 256 bytes', 'A name that clients send in `model`.');

const Quantities = Type.Record(
  Type.String(),
  Type.Unsafe<string | number>({ type: ['string', 'number'], title: 'a quantity such as 1 or 9Gi' }),
  { title: 'a map of quantities' },
);

const Engine = Type.Object(
  {
    type: Type.Optional(Type.Literal('LlamaServer', { title: 'LlamaServer', description: 'The only engine.' })),
    image: Type.Optional(text('the name of an image', 'The container image; in a cluster only.')),
  },
  { ...closed, title: 'an object', description: 'What runs the model.' },
);

const Resources = Type.Object(
  { limits: Type.Optional(Quantities), requests: Type.Optional(Quantities) },
  { ...closed, title: 'an object', description: "The container's resources; in a cluster only." },
);

const Pod = Type.Object(
  {
    labels: Type.Optional(texts),
    annotations: Type.Optional(texts),
    nodeSelector: Type.Optional(texts),
    tolerations: Type.Optional(list),
    affinity: Type.Optional(anything),
    topologySpreadConstraints: Type.Optional(list),
    runtimeClassName: Type.Optional(Type.String()),
    priorityClassName: Type.Optional(Type.String()),
    schedulerName: Type.Optional(Type.String()),
    imagePullSecrets: Type.Optional(list),
    securityContext: Type.Optional(anything),
    volumes: Type.Optional(list),
    volumeMounts: Type.Optional(list),
    envFrom: Type.Optional(list),
    initContainers: Type.Optional(list),
    sidecars: Type.Optional(list),
    resourceClaims: Type.Optional(list),
  },
  { ...closed, title: 'an object', description: 'A part of a pod template; in a cluster only.' },
);

const Args = Type.Array(Type.String({ pattern: ARG_PATTERN, maxLength: 8192, title: '--name or --name=value' }), {
  maxItems: 64,
  title: 'a list of at most 64 options',
  description: 'Options of llama-server, one an item. An item replaces inherited items of the same option.',
});

const Env = Type.Array(
  Type.Object(
    {
      name: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$', maxLength: 256, title: 'the name of a variable' }),
      value: Type.String({ maxLength: 32768, title: 'a string', description: 'Its value, as it is.' }),
    },
    { ...closed, title: 'an object with name and value' },
  ),
  { maxItems: 64, title: 'a list of at most 64 variables', description: 'Environment variables of the llama-server.' },
);

const ScalingSchema = Type.Object(
  {
    minReplicas: Type.Optional(
      Type.Unsafe<0 | 1>({
        type: 'integer',
        minimum: 0,
        maximum: 1,
        default: 0,
        title: '0 or 1',
        description: '1: loaded without demand and never evicted.',
      }),
    ),
    maxReplicas: Type.Optional(
      Type.Unsafe<1>({
        type: 'integer',
        minimum: 1,
        maximum: 1,
        default: 1,
        title: '1, the most that this version of Corral runs of one preset',
      }),
    ),
    idleTimeout: Type.Optional(duration('From the end of the last request to the end of the server; 0s: never.')),
    provisionTimeout: Type.Optional(duration('From created to its process running; in a cluster only.', '30m')),
    loadTimeout: Type.Optional(duration('From running to ready.', '10m')),
    loadOnStartup: Type.Optional(flag('Loaded once at the start, without demand.', false)),
    autoload: Type.Optional(flag('False: only an explicit load starts it.', true)),
  },
  { ...closed, title: 'an object', description: 'When the model is loaded and unloaded.' },
);

const layer = {
  engine: Type.Optional(Engine),
  args: Type.Optional(Args),
  env: Type.Optional(Env),
  scaling: Type.Optional(ScalingSchema),
  resources: Type.Optional(Resources),
  pod: Type.Optional(Pod),
};

const Defaults = Type.Object(layer, { ...closed, title: 'an object', description: 'What presets below inherit.' });

const Source = Type.Object(
  {
    path: Type.Optional(text('the path of a GGUF file', "Relative to llama-server's working directory.")),
    huggingFace: Type.Optional(
      Type.Object(
        {
          repo: Type.String({
            pattern: '^[^\\s\\/:]+\\/[^\\s\\/:]+$',
            title: 'a repository such as Qwen/Qwen3-8B-GGUF',
          }),
          quant: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_.\\-]+$', title: 'a quantization such as Q4_K_M' })),
        },
        { ...closed, title: 'an object with repo and quant' },
      ),
    ),
  },
  {
    ...closed,
    minProperties: 1,
    maxProperties: 1,
    title: 'exactly one of path and huggingFace',
    description: 'Where the model comes from.',
  },
);

const Queue = Type.Object(
  {
    maxWaiting: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100_000, default: 256, title: 'a number from 1 to 100000' }),
    ),
    maxWait: Type.Optional(duration('How long one request may be held.', '10m')),
  },
  { ...closed, title: 'an object', description: 'The requests held while the model is not ready.' },
);

const PresetSchema = Type.Object(
  {
    name: Type.String({ pattern: DNS_LABEL, title: 'a DNS label of at most 63 characters, unique in this object' }),
    model: Type.Optional(modelName),
    aliases: Type.Optional(Type.Array(modelName, { maxItems: 32, title: 'a list of at most 32 names' })),
    tags: Type.Optional(Type.Array(text('a tag', 'Shown in the list of models.'), { maxItems: 32, title: 'a list' })),
    source: Source,
    ...layer,
    queue: Type.Optional(Queue),
  },
  { ...closed, title: 'an object' },
);

const Metadata = Type.Object(
  {
    name: Type.String({ pattern: DNS_SUBDOMAIN, title: 'a DNS name' }),
    namespace: Type.Optional(Type.String({ pattern: DNS_LABEL, title: 'a DNS label' })),
    labels: Type.Optional(texts),
    annotations: Type.Optional(texts),
  },
  { ...closed, title: 'an object' },
);

const header = <Kind extends string>(
  kind: Kind,
): { apiVersion: Type.TLiteral<typeof API_VERSION>; kind: Type.TLiteral<Kind>; metadata: typeof Metadata } => ({
  apiVersion: Type.Literal(API_VERSION, { title: API_VERSION }),
  kind: Type.Literal(kind, { title: kind }),
  metadata: Metadata,
});

/** modeldeployments.corral.dev: models and how llama-server runs them. */
export const ModelDeploymentSchema = Type.Object(
  {
    ...header('ModelDeployment'),
    spec: Type.Object(
      {
        pool: Type.Optional(
          Type.String({ pattern: DNS_SUBDOMAIN, default: 'default', title: 'the name of a ModelPool' }),
        ),
        defaults: Type.Optional(Defaults),
        presets: Type.Array(PresetSchema, { minItems: 1, maxItems: 32, title: 'a list of 1 to 32 presets' }),
      },
      { ...closed, title: 'an object' },
    ),
  },
  { ...closed, title: 'an object' },
);

/** modelpools.corral.dev: what models compete for. */
export const ModelPoolSchema = Type.Object(
  {
    ...header('ModelPool'),
    spec: Type.Optional(
      Type.Object(
        {
          controllerName: Type.Optional(
            Type.Literal(CONTROLLER_NAME, { default: CONTROLLER_NAME, title: `${CONTROLLER_NAME}, which is Corral` }),
          ),
          allowedNamespaces: Type.Optional(anything),
          paused: Type.Optional(flag('Drain all and start nothing.', false)),
          defaults: Type.Optional(Defaults),
          capacity: Type.Optional(
            Type.Object(
              {
                maxLoaded: Type.Optional(
                  Type.Integer({
                    minimum: 0,
                    maximum: 10_000,
                    default: 0,
                    title: 'a number from 0 to 10000',
                    description: 'Models loaded at once; 0: no limit.',
                  }),
                ),
              },
              { ...closed, title: 'an object' },
            ),
          ),
          eviction: Type.Optional(
            Type.Object(
              {
                policy: Type.Optional(Type.Literal('LRUByIdle', { default: 'LRUByIdle', title: 'LRUByIdle' })),
                minResidency: Type.Optional(duration('An idle model is left alone this long after it is ready.', '0s')),
                fairAfter: Type.Optional(
                  duration('A model wanted longer than this makes busy ones drain; 0s: never.', '30s'),
                ),
              },
              { ...closed, title: 'an object' },
            ),
          ),
        },
        { ...closed, title: 'an object' },
      ),
    ),
  },
  { ...closed, title: 'an object' },
);

export type ModelDeployment = Type.Static<typeof ModelDeploymentSchema>;
export type ModelPool = Type.Static<typeof ModelPoolSchema>;
export type ManifestPreset = Type.Static<typeof PresetSchema>;
export type ManifestDefaults = Type.Static<typeof Defaults>;
