import Type from 'typebox';
import { Value } from 'typebox/value';
import { get } from './chat.ts';
import type { ServingCorral } from './corral.ts';
import { untilTrue } from './run-server.ts';

const ModelsSchema = Type.Object({
  data: Type.Array(
    Type.Object({
      id: Type.String(),
      aliases: Type.Array(Type.String()),
      tags: Type.Array(Type.String()),
      source: Type.String(),
      status: Type.Object({
        value: Type.String(),
        phase: Type.String(),
        position: Type.Optional(Type.Integer()),
        holders: Type.Optional(Type.Array(Type.String())),
        expected_load_ms: Type.Optional(Type.Integer()),
        failed: Type.Optional(Type.Boolean()),
        reason: Type.Optional(Type.String()),
        exit_code: Type.Optional(Type.Integer()),
      }),
    }),
  ),
});
const SlotsSchema = Type.Array(
  Type.Object({
    is_processing: Type.Boolean(),
    /** Those that were asked and those that were made. */
    n_prompt_tokens: Type.Optional(Type.Integer()),
  }),
);

/** One model of the list. */
export type Listed = Type.Static<typeof ModelsSchema>['data'][number];
/** One of a llama-server's slots. */
export type Slot = Type.Static<typeof SlotsSchema>[number];

/** How long to wait between two looks at what no log line tells, in milliseconds. */
const LOOK_EVERY = 10;

/** GET /models, or another path that answers the same. Throws unless it answers in the router's shape. */
export async function listModels(corral: ServingCorral, path = '/models'): Promise<readonly Listed[]> {
  const { status, text } = await get(corral, path);
  const body: unknown = JSON.parse(text);
  if (status !== 200 || !Value.Check(ModelsSchema, body)) throw new Error(`${path} answered ${status}: ${text}`);
  return body.data;
}

export const namesOf = (models: readonly Listed[]): string[] => models.map(({ id }) => id);

/** Has the declarations read again, and returns the names that are declared then. */
export const reload = async (corral: ServingCorral): Promise<string[]> =>
  namesOf(await listModels(corral, '/models?reload=1'));

/** Resolves when the list says so of a model. */
export async function untilListed(corral: ServingCorral, model: string, value: string): Promise<void> {
  const isSo = async (): Promise<boolean> =>
    (await listModels(corral)).some(({ id, status }) => id === model && status.value === value);
  await untilTrue(`${model} is ${value}`, isSo, LOOK_EVERY);
}

/** GET /slots of a loaded model. Throws unless it answers. */
async function slotsOf(corral: ServingCorral, model: string): Promise<readonly Slot[]> {
  const { status, text } = await get(corral, `/slots?model=${model}`);
  const body: unknown = JSON.parse(text);
  if (status !== 200 || !Value.Check(SlotsSchema, body)) throw new Error(`/slots answered ${status}: ${text}`);
  return body;
}

/** Resolves with all slots when exactly `busy` of a loaded model are in use. Milliseconds between two looks. */
export async function untilProcessing(
  corral: ServingCorral,
  model: string,
  busy: number,
  lookEvery = LOOK_EVERY,
): Promise<readonly Slot[]> {
  let slots: readonly Slot[] = [];
  const isSo = async (): Promise<boolean> => {
    slots = await slotsOf(corral, model);
    return slots.filter((slot) => slot.is_processing).length === busy;
  };
  await untilTrue(`${busy} slots of ${model} are in use`, isSo, lookEvery);
  return slots;
}
