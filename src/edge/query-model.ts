import type { ServerResponse } from 'node:http';
import { modelName, type ModelName } from '../domain/ids.ts';
import { refuse, type Refusal } from './refusal.ts';

/** The one model that a query names, for instance `?model=a`. `undefined`: none, or several. */
export function modelInQuery(query: string): ModelName | undefined {
  const [name, ...more] = new URLSearchParams(query).getAll('model');
  return name === undefined || name === '' || more.length > 0 ? undefined : modelName(name);
}

export const noModelInQuery = (path: string): Refusal => ({
  status: 400,
  code: 'invalid_model',
  message: `name one model in the query: ${path}?model=NAME`,
});

/** As `modelInQuery`; where there is no one model, it answers 400. */
export function queryModel(res: ServerResponse, path: string, query: string): ModelName | undefined {
  const name = modelInQuery(query);
  if (name === undefined) refuse(res, noModelInQuery(path));
  return name;
}
