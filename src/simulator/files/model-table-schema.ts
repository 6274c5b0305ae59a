import Type from 'typebox';
import { duration, passing, quantities } from '../../api/common-schemas.ts';
import { list, object, text, whole } from '../../api/schema-kit.ts';
import { rate } from './number-schemas.ts';

const settings = {
  loadTime: Type.Optional(passing('From the start of a replica to its readiness.')),
  stopTime: Type.Optional(
    duration('From the stop of a replica to its exit, which frees what it held. 1s if nobody says.'),
  ),
  footprint: Type.Optional(quantities('What a replica takes of its bin.')),
  idleTimeout: Type.Optional(
    duration('From the last request to the stop, where a policy has such a thing; 0s, the default: never.'),
  ),
  priority: Type.Optional(whole('The higher goes first, and leaves last; 0 if nobody says.', -1000, 1000)),
  minReplicas: Type.Optional(whole('Always loaded; 0 if nobody says.', 0, 1000)),
  maxReplicas: Type.Optional(whole('The most at once; 1 if nobody says.', 1, 1000)),
  targetInFlight: Type.Optional(
    whole('Requests for each replica, above which one more is wanted; 4 if nobody says.', 1, 10_000),
  ),
  promptRate: Type.Optional(rate('Tokens of a prompt that are read in a second; 2000 if nobody says.')),
  outputRate: Type.Optional(rate('Tokens of an answer that are written in a second; 50 if nobody says.')),
};

const SettingsSchema = object('What holds of every model that does not say otherwise.', settings);

const ModelSchema = object('A model, or several that are alike.', {
  name: text('a model name', 'How the trace names it.', { maxLength: 256 }),
  count: Type.Optional(whole('So many of them: NAME-1, NAME-2, ….', 1, 10_000)),
  ...settings,
});

const BinSchema = object('A bin, or several that are alike.', {
  count: Type.Optional(whole('So many of them; 1 if nobody says.', 1, 10_000)),
  size: quantities('What fits into each.'),
});

const PoolSchema = object('What the models compete for.', {
  maxLoaded: Type.Optional(whole('Replicas that are loaded at once; 0, the default: no limit.', 0, 10_000)),
  bins: Type.Optional(list('Where replicas lie, each in one bin. None: only maxLoaded is a limit.', BinSchema, 1000)),
  minResidency: Type.Optional(
    duration('An idle model is left alone this long after it became ready. 0s if nobody says.'),
  ),
  fairAfter: Type.Optional(duration('Who waits longer makes busy models leave; 0s: never. 30s if nobody says.')),
});

/** A file that says which models there are, how fast they load and answer, and what they compete for. */
export const ModelTableSchema = object('A table of models.', {
  pool: PoolSchema,
  maxWait: Type.Optional(passing('Who waits longer gives up, and counts as starved. 10m if nobody says.')),
  defaults: Type.Optional(SettingsSchema),
  models: list('The most popular first.', ModelSchema, 10_000),
});

export type WrittenTable = Type.Static<typeof ModelTableSchema>;
export type WrittenModel = Type.Static<typeof ModelSchema>;
