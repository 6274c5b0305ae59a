import { assertNever } from '../domain/assert-never.ts';
import type { KeyOperation } from '../domain/api-key.ts';
import { FULL_ACCESS } from './access.ts';
import type { KeyRing, KnownKey } from './key-ring.ts';
import { readPresentedKey } from './presented-key.ts';
import type { Refusal } from './refusal.ts';
import type { EdgeContext, Visit } from './visit.ts';

/**
 * Lets a request in, and counts it among those of its key, or says why not. `operation`: what it is about to do;
 * `undefined`: nothing for which rights are asked.
 */
export function letIn(
  { keys }: Pick<EdgeContext, 'keys'>,
  visit: Visit,
  operation: KeyOperation | undefined,
): Refusal | undefined {
  if (keys === undefined) {
    visit.access = FULL_ACCESS;
    return undefined;
  }
  const presented = readPresentedKey(visit.req.rawHeaders);
  switch (presented.kind) {
    case 'several':
      return SEVERAL_KEYS;
    case 'none':
      return INVALID_KEY;
    case 'one': {
      const key = keys.find(presented.key);
      return key === undefined ? INVALID_KEY : useKey(keys, key, visit, operation);
    }
    default:
      return assertNever(presented);
  }
}

function useKey(keys: KeyRing, key: KnownKey, visit: Visit, operation: KeyOperation | undefined): Refusal | undefined {
  visit.keyId = key.id;
  if (operation !== undefined && !key.access.may(operation)) return permissionDenied(operation);
  const end = keys.begin(key);
  if (end === undefined) return tooManyAtOnce(key);
  visit.endKeyUse = end;
  visit.access = key.access;
  return undefined;
}

const SEVERAL_KEYS: Refusal = {
  status: 400,
  code: 'bad_request',
  message: 'the request has different keys in Authorization and x-api-key: send one',
};

/** The same for no key and a wrong one: what is wrong with a guess is nobody's business. */
const INVALID_KEY: Refusal = {
  status: 401,
  code: 'invalid_api_key',
  type: 'authentication_error',
  message: 'no valid API key: send one as "Authorization: Bearer KEY" or "x-api-key: KEY"',
  headers: [['www-authenticate', 'Bearer']],
};

const permissionDenied = (operation: KeyOperation): Refusal => ({
  status: 403,
  code: 'permission_denied',
  type: 'permission_error',
  message: `this API key does not allow ${operation}`,
});

const tooManyAtOnce = ({ maxInFlight }: KnownKey): Refusal => ({
  status: 429,
  code: 'key_concurrency_limit',
  message: `this API key has ${String(maxInFlight)} requests under way already, which is all that it may have at once`,
  retryAfter: 1,
});
