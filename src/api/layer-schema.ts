import Type from 'typebox';
import { duration, noNul, optionalKey, passing, quantities } from './common-schemas.ts';
import { ARG_RULES, MIN_BELOW_MAX, VARIABLE_RULES, exactlyOne } from './manifest-rules.ts';
import { PodSchema } from './pod-schema.ts';
import { ATOMIC, flag, list, mapBy, object, oneOf, text, whole } from './schema-kit.ts';

/** One option of llama-server: `--name` or `--name=value`. */
const ARG_PATTERN = '^--[a-z0-9][a-z0-9.\\-]*(=[^\\x00]*)?$';

const Engine = object('What runs the model.', {
  type: Type.Optional(oneOf('The only engine.', ['LlamaServer'], { otherwise: 'LlamaServer' })),
  image: Type.Optional(
    text(
      'the name of an image',
      'The container image, whose entry point is llama-server. Needed in a cluster: here or in a layer below. Matters in a cluster only.',
      { pattern: '^[A-Za-z0-9][A-Za-z0-9._:/@\\-]*$' },
    ),
  ),
});

const Resources = object('What the llama-server takes of its node, as in a container.', {
  limits: Type.Optional(
    quantities(
      'The most it may take. Also what a replica takes of its pool, where footprint does not say it; in corral serve that alone.',
    ),
  ),
  requests: Type.Optional(quantities('What is set aside for it. Default: its limits. Matters in a cluster only.')),
  claims: Type.Optional(
    list(
      "Claims of pod.resourceClaims that the llama-server's container uses. Matters in a cluster only.",
      object('One claim.', {
        name: text('the name of a claim', 'A name of pod.resourceClaims.', { maxLength: 63 }),
        request: Type.Optional(
          text('the name of a request', 'Which part of the claim. Default: all.', { maxLength: 253 }),
        ),
      }),
      16,
      mapBy('name'),
    ),
  ),
});

const Args = list(
  'Options of llama-server, one an item: --name or --name=value, of an option with two values both with a blank between. An item replaces inherited items of the same option. Which options there are depends on the image.',
  Type.String({
    minLength: 1,
    maxLength: 8192,
    pattern: ARG_PATTERN,
    title: '--name or --name=value',
    description: 'One option.',
    rules: ARG_RULES,
  }),
  64,
  { title: 'a list of at most 64 options' },
);

const FieldRef = object(
  "A field of the pod (Kubernetes' downward API).",
  {
    fieldPath: text('the path of a field', 'For instance status.hostIP.', { maxLength: 512 }),
    apiVersion: Type.Optional(text('v1', 'The version of the path. Default: v1.', { maxLength: 64 })),
  },
  ATOMIC,
);

const VALUE_SOURCES = ['secretKeyRef', 'configMapKeyRef', 'fieldRef'] as const;

const Env = list(
  'Environment variables of the llama-server. One replaces an inherited one of its name.',
  object(
    'One variable.',
    {
      name: text('the name of a variable', 'Its name.', {
        pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
        maxLength: 256,
        rules: VARIABLE_RULES,
      }),
      value: Type.Optional(noNul('a text', 'Its value, as it is: nothing is expanded.', 32768)),
      valueFrom: Type.Optional(
        object(
          'Where its value comes from. In a cluster only.',
          {
            secretKeyRef: Type.Optional(optionalKey('Secret')),
            configMapKeyRef: Type.Optional(optionalKey('ConfigMap')),
            fieldRef: Type.Optional(FieldRef),
          },
          { rules: [exactlyOne(VALUE_SOURCES)] },
        ),
      ),
    },
    { title: 'an object with name and value', rules: [exactlyOne(['value', 'valueFrom'])] },
  ),
  64,
  { title: 'a list of at most 64 variables', ...mapBy('name') },
);

const Scaling = object(
  'When the model is loaded and unloaded.',
  {
    minReplicas: Type.Optional(
      whole('So many replicas are loaded without demand, never evicted, never ended for being idle.', 0, 100, {
        otherwise: '0',
      }),
    ),
    maxReplicas: Type.Optional(
      whole(
        'The most replicas that serve at once. Of two layers that say minReplicas above maxReplicas, the stronger one holds.',
        1,
        100,
        { otherwise: '1, or minReplicas if that is more' },
      ),
    ),
    idleTimeout: Type.Optional(
      duration('From the end of the last request to the end of the llama-server; 0s: never.', {
        otherwise: '15m; in corral serve --idle-timeout, or 0s',
      }),
    ),
    targetInFlight: Type.Optional(
      whole(
        'Requests in flight for each replica, above which another one is wanted. --parallel may be LLAMA_ARG_N_PARALLEL in env, too; 4 is what llama-server takes for auto.',
        1,
        10_000,
        { otherwise: '--parallel, or 4' },
      ),
    ),
    provisionTimeout: Type.Optional(
      passing(
        "From the creation of the pod to the start of the llama-server's process: image, volumes, init containers. Matters in a cluster only.",
        { otherwise: '30m' },
      ),
    ),
    loadTimeout: Type.Optional(
      passing('From the start of the process to its readiness, a download by llama-server included.', {
        otherwise: '10m',
      }),
    ),
    loadOnStartup: Type.Optional(
      flag('Whether it is loaded once, without demand, when Corral starts.', { otherwise: 'false' }),
    ),
    autoload: Type.Optional(
      flag('Whether a request loads it. If not, only an order does.', {
        otherwise: 'true; in corral serve --models-autoload',
      }),
    ),
  },
  { rules: [MIN_BELOW_MAX] },
);

/** What pools, objects and presets may set: the preset wins over its object, and the object over its pool. */
export const layer = {
  engine: Type.Optional(Engine),
  args: Type.Optional(Args),
  env: Type.Optional(Env),
  scaling: Type.Optional(Scaling),
  resources: Type.Optional(Resources),
  pod: Type.Optional(PodSchema),
};

/** What every preset below inherits. */
export const Defaults = object('What every preset below inherits, unless it says otherwise.', layer);
