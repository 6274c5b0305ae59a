import Type from 'typebox';
import { Value } from 'typebox/value';
import type { Mirror } from '../operator-trials/mirror.ts';
import type { Edge } from './edge-fleet.ts';

const Told = Type.Object({
  preset: Type.String(),
  waiting: Type.Integer(),
  inFlight: Type.Integer(),
  finishedTotal: Type.Integer(),
});
const Report = Type.Object({ models: Type.Array(Told) });

/** What an edge has told of a model. */
export type Told = Type.Static<typeof Told>;

/** The last that an edge has told of a model; `undefined`: nothing. */
export function reportedOf({ objects }: Mirror, { pod }: Edge, model: string): Told | undefined {
  const report = objects.find(({ metadata }) => metadata.name === pod.metadata.name)?.['report'];
  return Value.Parse(Report, report).models.find(({ preset }) => preset === model);
}
