import Type from 'typebox';
import { Value } from 'typebox/value';
import { binName, type BinName } from '../../domain/ids.ts';
import { parseJson } from '../../domain/json.ts';
import type { Resources } from '../../domain/resources.ts';
import { parseQuantity, type Quantities } from '../quantity.ts';
import { formatAmount } from './amount-text.ts';
import { ANNOTATION, LLAMA_SERVER } from './pod-marks.ts';

type Annotations = Readonly<Record<string, string>>;

const WrittenQuantities = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]));

const Spec = Type.Object({
  containers: Type.Array(
    Type.Object({
      name: Type.String(),
      resources: Type.Optional(Type.Object({ limits: Type.Optional(WrittenQuantities) })),
    }),
  ),
});

/** A footprint as its annotation has it, in the order of names. */
export const formatFootprint = (footprint: Resources): string =>
  JSON.stringify(Object.fromEntries([...footprint].sort(byName).map(([name, amount]) => [name, formatAmount(amount)])));

const byName = ([a]: readonly [string, number], [b]: readonly [string, number]): number => (a < b ? -1 : 1);

/** `undefined`: it does not say, since it was made before there were bins, or somebody has removed the annotation. */
export function readBin({ [ANNOTATION.bin]: bin = '' }: Annotations): BinName | undefined {
  return bin === '' ? undefined : binName(bin);
}

/** What a pod takes of its bin: as it was made for, or else, where it does not say that, its llama-server's `resources.limits`. */
export function readFootprint(annotations: Annotations, spec: unknown): Resources {
  const said = parseFootprint(annotations[ANNOTATION.footprint]);
  return said === undefined ? limitsOf(spec) : said;
}

/** `undefined`: it says nothing that Corral writes. */
function parseFootprint(text: string | undefined): Resources | undefined {
  const value = text === undefined ? undefined : parseJson(text);
  if (!Value.Check(WrittenQuantities, value)) return undefined;
  const amounts = amountsOf(value);
  return amounts.size === Object.keys(value).length ? amounts : undefined;
}

function limitsOf(spec: unknown): Resources {
  if (!Value.Check(Spec, spec)) return new Map();
  const limits = spec.containers.find(({ name }) => name === LLAMA_SERVER)?.resources?.limits;
  return limits === undefined ? new Map() : amountsOf(limits);
}

/** Without what is no quantity: nothing that a pool could count. */
const amountsOf = (quantities: Quantities): Resources =>
  new Map(
    Object.entries(quantities).flatMap(([name, quantity]): [string, number][] => {
      const amount = parseQuantity(quantity);
      return amount === undefined ? [] : [[name, amount]];
    }),
  );
