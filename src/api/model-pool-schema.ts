import Type from 'typebox';
import { EVICTION_POLICIES } from '../domain/pool.ts';
import {
  Conditions,
  LabelSelector,
  duration,
  observedGeneration,
  passing,
  somePositiveQuantities,
} from './common-schemas.ts';
import { Defaults } from './layer-schema.ts';
import { IMMUTABLE, onlyWith } from './manifest-rules.ts';
import { flag, list, object, oneOf, text, whole } from './schema-kit.ts';

/** Of the operator that these pools belong to. */
export const CONTROLLER_NAME = 'corral.dev/operator';

const AllowedNamespaces = object(
  'The namespaces whose ModelDeployments may use the pool.',
  {
    from: Type.Optional(
      oneOf('All, None, or Selector: those that match the selector.', ['All', 'None', 'Selector'], { default: 'All' }),
    ),
    selector: Type.Optional(LabelSelector),
  },
  { rules: [onlyWith('selector', 'from', 'Selector')] },
);

const Capacity = object(
  'What fits into the pool.',
  {
    maxLoaded: Type.Optional(
      whole("Replicas that are loaded at once, like llama-server's --models-max; 0: no limit.", 0, 10_000, {
        default: 0,
      }),
    ),
    resources: Type.Optional(
      somePositiveQuantities(
        'What there is of each resource that counts here, by any names that footprints use: nvidia.com/gpu, memory, vram. Missing: nothing counts, and in a cluster the scheduler alone says what fits.',
      ),
    ),
    unschedulableAfter: Type.Optional(
      duration(
        'How long a pod may find no node before that counts as no room. Longer where an autoscaler adds nodes. Matters in a cluster only.',
        { default: '5s' },
      ),
    ),
  },
  { default: {} },
);

const Eviction = object(
  'Who leaves when there is no room.',
  {
    policy: Type.Optional(
      oneOf(
        'Who goes first, of the idle ones of the lowest priority. LRUByIdle: the one that has been idle the longest. IdleBySize: by the time it has been idle, times the square of its share of its bin; for pools whose models differ in size.',
        EVICTION_POLICIES,
        { default: 'LRUByIdle' },
      ),
    ),
    minResidency: Type.Optional(
      duration('An idle model is left alone this long after it became ready.', { default: '0s' }),
    ),
    fairAfter: Type.Optional(
      duration('A model that is wanted longer than this makes busy ones finish and leave; 0s: never.', {
        default: '30s',
      }),
    ),
  },
  { default: {} },
);

export const ModelPoolSpecSchema = object(
  'What is wanted.',
  {
    controllerName: Type.Optional(
      text(
        'the name of an operator, such as corral.dev/operator',
        'Whose pool it is: an operator of another name ignores it.',
        {
          default: CONTROLLER_NAME,
          maxLength: 253,
          pattern: '^[a-z0-9]([a-z0-9.\\-]*[a-z0-9])?/[A-Za-z0-9]([A-Za-z0-9_.\\-]*[A-Za-z0-9])?$',
          rules: [IMMUTABLE],
        },
      ),
    ),
    allowedNamespaces: Type.Optional(AllowedNamespaces),
    maxPriority: Type.Optional(
      whole('The highest priority that a preset may have here.', -1000, 1000, { otherwise: '0' }),
    ),
    paused: Type.Optional(
      flag('Whether all is drained and nothing started; requests are answered 503.', { default: false }),
    ),
    defaults: Type.Optional(Defaults),
    capacity: Type.Optional(Capacity),
    eviction: Type.Optional(Eviction),
    drainTimeout: Type.Optional(
      passing(
        'How long a pod that somebody else deletes may go on with its requests: its grace period, but for a minute. Pods that run keep theirs. What Corral stops itself has nothing in flight, or gets as long where an edge is silent.',
        { default: '30m' },
      ),
    ),
  },
  { default: {} },
);

/** Written by `corral operator` alone. */
export const ModelPoolStatusSchema = object('What is.', {
  observedGeneration,
  conditions: Type.Optional(Conditions),
  loaded: Type.Optional(whole('Replicas that hold capacity.', 0, 1_000_000)),
  capacity: Type.Optional(
    Type.String({
      maxLength: 256,
      title: 'a text',
      description: 'What fits and how much of it is taken, for people: 4 models, vram 12Gi of 24Gi.',
    }),
  ),
  waiting: Type.Optional(whole('Presets that are wanted and find no room.', 0, 1_000_000)),
  queue: Type.Optional(
    list(
      'Those presets, the next one first, as far as the list goes: the uid of the ModelDeployment, a slash, the name of the preset.',
      text('a preset', 'One preset.', { maxLength: 128 }),
      256,
    ),
  ),
  lru: Type.Optional(
    list(
      'The loaded presets that nobody uses, the longest idle first: the uid of the ModelDeployment, a slash, the name of the preset. Written at most once a minute; whoever leads next goes by it where no edge tells of a use.',
      text('a preset', 'One preset.', { maxLength: 128 }),
      1024,
    ),
  ),
});

export type ModelPoolSpec = Type.Static<typeof ModelPoolSpecSchema>;
export type ModelPoolStatus = Type.Static<typeof ModelPoolStatusSchema>;
