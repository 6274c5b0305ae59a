import type { ServerResponse } from 'node:http';
import { modelName, type ModelName } from '../domain/ids.ts';
import { refuse } from './refusal.ts';

/** The one model that a query names, for instance `?model=a`. Else it answers 400, and gives `undefined`. */
export function queryModel(res: ServerResponse, path: string, query: string): ModelName | undefined {
  const [name, ...more] = new URLSearchParams(query).getAll('model');
  if (name !== undefined && name !== '' && more.length === 0) return modelName(name);
  refuse(res, { status: 400, code: 'invalid_model', message: `name one model in the query: ${path}?model=NAME` });
  return undefined;
}
