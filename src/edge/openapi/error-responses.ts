import { STATUS_CODES } from 'node:http';
import type { Endpoint } from '../endpoints.ts';
import { errorsOf, type ErrorResponse } from './errors-of.ts';

/** The error answers of all endpoints: equal ones stand in the document once. */
export interface ErrorResponses {
  /** By name, for `components`. */
  readonly byName: ReadonlyMap<string, object>;
  /** Of one endpoint, by status, as references. */
  readonly of: (endpoint: Endpoint) => object;
}

export function collectErrorResponses(endpoints: readonly Endpoint[]): ErrorResponses {
  const byText = new Map(endpoints.flatMap(errorsOf).map((response) => [JSON.stringify(response), response]));
  const names = new Map<string, string>();
  for (const [text, { status }] of byText) names.set(text, freeName(nameOf(status), new Set(names.values())));
  return {
    byName: new Map([...byText].map(([text, { response }]) => [String(names.get(text)), response])),
    of: (endpoint) =>
      Object.fromEntries(
        errorsOf(endpoint).map((response) => [response.status, refTo(String(names.get(JSON.stringify(response))))]),
      ),
  };
}

const refTo = (name: string): object => ({ $ref: `#/components/responses/${name}` });

/** For instance `BadRequest`. */
const nameOf = (status: ErrorResponse['status']): string =>
  status === 'default' ? 'OfTheModel' : String(STATUS_CODES[status]).replaceAll(/[^A-Za-z]/gu, '');

/** `BadRequest`, else `BadRequest2` and so on. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  let number = 1;
  while (taken.has(numbered(name, number))) number += 1;
  return numbered(name, number);
}

const numbered = (name: string, number: number): string => (number === 1 ? name : name + String(number));
