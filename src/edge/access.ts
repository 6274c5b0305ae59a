import type { ApiKey, KeyOperation } from '../domain/api-key.ts';
import { SEES_ALL, type Sight } from '../routing/sight.ts';
import { fitsPattern } from './name-pattern.ts';

/** What a request may do and see. A model that it does not see has to look like one that does not exist, under all its names. */
export interface Access extends Sight {
  may(operation: KeyOperation): boolean;
}

/** Of every request, where there are no keys. */
export const FULL_ACCESS: Access = { ...SEES_ALL, may: () => true };

/** Of a request that has not been let in: whoever forgets to ask shows nothing. */
export const NO_ACCESS: Access = { seesAll: false, may: () => false, sees: () => false };

/** What a key allows. */
export function accessOf({ models, operations }: Pick<ApiKey, 'models' | 'operations'>): Access {
  const may = (operation: KeyOperation): boolean => operations.includes(operation);
  if (models.includes('*')) return { ...FULL_ACCESS, may };
  return { seesAll: false, may, sees: (model) => models.some((pattern) => fitsPattern(model, pattern)) };
}
