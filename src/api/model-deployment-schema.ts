import Type from 'typebox';
import { NAME_RULES, MAX_NAME_BYTES } from './check-model-name.ts';
import {
  Conditions,
  dnsLabel,
  dnsName,
  noNul,
  observedGeneration,
  optionalTime,
  passing,
  secretKey,
  someQuantities,
} from './common-schemas.ts';
import { Defaults, layer } from './layer-schema.ts';
import {
  FILES_RULES,
  FILE_RULES,
  FINITE_NUMBERS,
  NAMED_ONCE,
  NOT_FIXED,
  UNIQUE_NAME_RULES,
  WITHIN_VOLUME,
  exactlyOne,
} from './manifest-rules.ts';
import { FILE_ARGS } from './model-files.ts';
import { OPEN, SET, flag, list, mapBy, object, oneOf, text, whole } from './schema-kit.ts';

const modelName = (description: string): Type.TString =>
  text(`a model name of 1 to ${MAX_NAME_BYTES} bytes`, description, { maxLength: MAX_NAME_BYTES, rules: NAME_RULES });

const Url = object('A file that is downloaded before llama-server starts. In a cluster only.', {
  url: text(
    'a URL with https or http',
    'Where the GGUF file is: a whole model, not one of its shards. Everybody who may read this object sees it.',
    {
      pattern: '^https?://[^\\x00-\\x20]+$',
      maxLength: 4096,
    },
  ),
  sha256: Type.Optional(
    text(
      '64 hexadecimal digits',
      'The checksum of the file, as sha256sum prints it. Only with it a file is kept in LLAMA_CACHE.',
      { pattern: '^[0-9a-f]{64}$', maxLength: 64 },
    ),
  ),
});

const PersistentVolumeClaim = object('A file of a PersistentVolumeClaim, mounted read-only. In a cluster only.', {
  claimName: dnsName('the name of a PersistentVolumeClaim', 'The claim, in the same namespace.'),
  path: text('a path within the volume', 'The GGUF file (its first shard), from the root of the volume.', {
    pattern: '^[^\\x00]+$',
    rules: [WITHIN_VOLUME],
  }),
});

const Image = object(
  'A file of an OCI image, which is mounted as a volume (Kubernetes, "Use an Image Volume With a Pod"). In a cluster only.',
  {
    reference: text('the name of an image', 'The image. It is pulled with the secrets of pod.imagePullSecrets.', {
      pattern: '^[A-Za-z0-9][A-Za-z0-9._:/@\\-]*$',
    }),
    path: text('a path within the image', 'The GGUF file (its first shard), from the root of the image.', {
      pattern: '^[^\\x00]+$',
      rules: [WITHIN_VOLUME],
    }),
  },
);

const HuggingFace = object(
  'A model of huggingface.co, which llama-server downloads itself when it starts: always what the branch main has.',
  {
    repo: text('a repository such as Qwen/Qwen3-8B-GGUF', 'The repository.', {
      pattern: '^[A-Za-z0-9][A-Za-z0-9_.\\-]*/[A-Za-z0-9][A-Za-z0-9_.\\-]*$',
      maxLength: 200,
    }),
    quant: Type.Optional(
      text(
        'a quantization such as Q4_K_M',
        "Which of its files. Default: llama-server's choice, Q4_K_M or the first.",
        {
          pattern: '^[A-Za-z0-9_.\\-]+$',
          maxLength: 100,
        },
      ),
    ),
    tokenSecretRef: Type.Optional(
      secretKey(
        'The token for a repository that is not public. In a cluster only: corral serve takes HF_TOKEN from its environment.',
      ),
    ),
  },
  { title: 'an object with repo and quant' },
);

const SOURCES = ['path', 'persistentVolumeClaim', 'huggingFace', 'url', 'image'] as const;

/** Where a model comes from. */
const SourceSchema = object(
  'Where the model comes from: exactly one of these.',
  {
    path: Type.Optional(
      text(
        'the path of a GGUF file',
        'A file that the llama-server finds: in a cluster in its image or in a volume of pod.volumes, in corral serve on the machine.',
        { pattern: '^[^\\x00]+$', maxLength: 4096 },
      ),
    ),
    persistentVolumeClaim: Type.Optional(PersistentVolumeClaim),
    huggingFace: Type.Optional(HuggingFace),
    url: Type.Optional(Url),
    image: Type.Optional(Image),
  },
  {
    title: `an object with exactly one of ${SOURCES.slice(0, -1).join(', ')} and ${SOURCES.slice(-1).join('')}`,
    rules: [exactlyOne(SOURCES)],
  },
);

const Files = list(
  'More files of the model. They win over inherited args.',
  object(
    'One file.',
    {
      arg: oneOf(
        'The option of llama-server that gets its path: a projector for images and sound, a draft model, or one of several LoRA adapters, which are numbered in the order of the list.',
        FILE_ARGS,
      ),
      source: SourceSchema,
    },
    { rules: FILE_RULES },
  ),
  8,
  { rules: FILES_RULES },
);

const Variants = list(
  'More names for the same llama-server, with request fields of their own.',
  object('One variant.', {
    model: modelName('The name that clients use.'),
    parameters: object(
      'Fields of a JSON request that it fixes: each is added to the request, over what the client says of it. At least one.',
      {
        model: Type.Optional(text('left out', 'Not here: the model is that of the preset.', { rules: [NOT_FIXED] })),
        stream: Type.Optional(flag('Not here: the client says how it wants its answer.', { rules: [NOT_FIXED] })),
      },
      { ...OPEN, title: 'an object with at least one field', minProperties: 1, rules: [FINITE_NUMBERS] },
    ),
  }),
  16,
  { title: 'a list of at most 16 variants', ...mapBy('model') },
);

const Queue = object('The requests that are held while the model is not ready.', {
  maxWaiting: Type.Optional(whole('How many.', 1, 100_000, { otherwise: '256' })),
  maxWait: Type.Optional(passing('How long each of them at the most.', { otherwise: '10m' })),
});

const PresetSchema = object(
  'A model, and how llama-server runs it.',
  {
    name: dnsLabel(
      'a DNS label of at most 63 characters, unique in this object',
      'Its name in this object, and the beginning of the names of its pods.',
    ),
    model: Type.Optional(
      modelName('The name that clients use. Default: name. It may hold slashes, colons, dots and capitals.'),
    ),
    aliases: Type.Optional(
      list('More names that clients may use.', modelName('One name.'), 32, {
        title: 'a list of at most 32 names',
        ...SET,
      }),
    ),
    tags: Type.Optional(
      list(
        'Words that are shown in the list of models.',
        text('a tag of at most 256 characters', 'One word.', { maxLength: 256 }),
        32,
        SET,
      ),
    ),
    source: SourceSchema,
    files: Type.Optional(Files),
    ...layer,
    footprint: Type.Optional(
      someQuantities(
        'What a replica takes of its pool, by the names that capacity.resources of the pool counts; of one that it does not name, what resources.limits says. Where neither names any of them, the preset is not run. Counted, never rendered.',
      ),
    ),
    queue: Type.Optional(Queue),
    priority: Type.Optional(
      whole(
        'Who goes first where room is scarce, and leaves last: the higher. At most maxPriority of its pool.',
        -1000,
        1000,
        {
          otherwise: '0',
        },
      ),
    ),
    variants: Type.Optional(Variants),
  },
  { rules: NAMED_ONCE },
);

export const ModelDeploymentSpecSchema = object('What is wanted.', {
  pool: Type.Optional(
    dnsName('the name of a ModelPool', 'The ModelPool (modelpools.corral.dev) in which its models compete.', {
      default: 'default',
    }),
  ),
  defaults: Type.Optional(Defaults),
  presets: list('The models.', PresetSchema, 32, {
    minItems: 1,
    title: 'a list of 1 to 32 presets',
    rules: UNIQUE_NAME_RULES,
    ...mapBy('name'),
  }),
});

/** What a preset is doing. */
const PRESET_PHASES = ['Unloaded', 'Waiting', 'Loading', 'Ready', 'Draining', 'Stopping', 'Failed'] as const;

/** More than fail between two writes. */
const MAX_FAILED_PODS = 16;

const count = (description: string): Type.TInteger => whole(description, 0, 1_000_000);

const LastFailure = object(
  'Its last failure, as long as its spec is the same: what an operator that takes over goes on with. An order to load it takes it away.',
  {
    reason: text('one word in CamelCase', 'What kind of failure it was.', { maxLength: 128 }),
    rendered: text('a hash', 'Of what its replicas are made from: of others this says nothing.', { maxLength: 128 }),
    inARow: whole(
      'Failures in a row, this one included; those of replicas that were there together count once. It ends when one had been ready for 10 minutes.',
      1,
      1_000_000,
    ),
    waitSeconds: Type.Optional(
      count('So long it is not tried again, counted by whoever leads. Missing when that time is over.'),
    ),
    podUids: Type.Optional(
      list(
        'Pods that are counted in it and were still there.',
        text('a uid', 'The uid of a pod.', { maxLength: 64 }),
        MAX_FAILED_PODS,
      ),
    ),
  },
);

const PresetStatusSchema = object('One preset.', {
  name: dnsLabel('the name of a preset', 'Its name in spec.presets.'),
  phase: oneOf(
    'What it is doing. Waiting: it is wanted, and there is no room yet. Failed: its last load failed, and it was not tried again since.',
    PRESET_PHASES,
  ),
  reason: Type.Optional(text('one word in CamelCase', 'Why, for programs.', { maxLength: 128 })),
  message: Type.Optional(noNul('a text', 'Why, for people.', 4096)),
  names: Type.Optional(
    list(
      'The names under which requests reach it: those it declares, without those that another preset had before.',
      text('a model name', 'One name.', { maxLength: MAX_NAME_BYTES }),
      64,
    ),
  ),
  uid: Type.Optional(
    text(
      'a uid',
      'The uid of the ModelDeployment to which the names were granted: names of a copied status count for nothing.',
      {
        maxLength: 64,
      },
    ),
  ),
  replicas: Type.Optional(count('Its replicas that exist, in whatever state.')),
  readyReplicas: Type.Optional(count('Those of them that are ready.')),
  failures: Type.Optional(count('Failures in a row.')),
  backOff: Type.Optional(
    object('Set while it is not tried again, after a failure.', {
      nextRetryTime: optionalTime('When it may be started again.'),
    }),
  ),
  lastFailure: Type.Optional(LastFailure),
  lastLoadedTime: optionalTime('When a replica last became ready.'),
  loadSeconds: Type.Optional(
    count(
      'How long that took, from the creation of its pod, to the second: so long the next load is expected to take.',
    ),
  ),
  lastUsedTime: optionalTime('When its last request ended, as known when the phase last changed.'),
  evictedFor: Type.Optional(text('a preset', 'The preset for which it last had to leave.', { maxLength: 512 })),
});

/** Written by `corral operator` alone. */
export const ModelDeploymentStatusSchema = object('What is.', {
  observedGeneration,
  conditions: Type.Optional(Conditions),
  presets: Type.Optional(list('What each preset is doing.', PresetStatusSchema, 64, mapBy('name'))),
  models: Type.Optional(Type.String({ maxLength: 1024, title: 'a text', description: 'The model names, for people.' })),
  loaded: Type.Optional(
    Type.String({ maxLength: 32, title: 'a text', description: 'How many presets are loaded, of how many: 2/5.' }),
  ),
});

export type ModelDeploymentSpec = Type.Static<typeof ModelDeploymentSpecSchema>;
export type ModelDeploymentStatus = Type.Static<typeof ModelDeploymentStatusSchema>;
export type ManifestPreset = Type.Static<typeof PresetSchema>;
export type ManifestFile = Type.Static<typeof Files>[number];
export type ManifestSource = Type.Static<typeof SourceSchema>;
export type ManifestDefaults = Type.Static<typeof Defaults>;
export type PresetStatus = Type.Static<typeof PresetStatusSchema>;
export type PresetPhase = (typeof PRESET_PHASES)[number];
