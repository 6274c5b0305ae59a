import type { ModelName } from '../domain/ids.ts';
import type { Route } from '../routing/route.ts';

/** What a name adds to the requests that use it, as a JSON object; `undefined`: nothing, since it is no variant's. */
export const parametersOf = ({ preset }: Route, name: ModelName): string | undefined =>
  preset.variants.find((variant) => variant.name === name)?.parameters;

/**
 * The body with the members of `parameters` (a JSON object that is not empty) as the last ones of its object, whose brace closes
 * at `closedAt`: llama-server takes the last of equal keys. The object has members, since one is `model`. All else stays as it is.
 */
export function addParameters(body: Buffer, closedAt: number, parameters: string): Buffer {
  const members = parameters.slice(1, -1);
  return Buffer.concat([body.subarray(0, closedAt), Buffer.from(`,${members}`), body.subarray(closedAt)]);
}
