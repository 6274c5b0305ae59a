import { hash } from 'node:crypto';
import { KEY_OPERATIONS, type ApiKey } from '../domain/api-key.ts';

/** The declaration of a key that may do everything, unless `rest` says otherwise. */
export const anApiKey = (key: string, rest: Partial<ApiKey> = {}): ApiKey => ({
  id: `id-of-${key}`,
  sha256: hash('sha256', key),
  models: ['*'],
  operations: KEY_OPERATIONS,
  maxInFlight: undefined,
  ...rest,
});

/** The header that carries a key. */
export const bearer = (key: string): { readonly authorization: string } => ({ authorization: `Bearer ${key}` });
