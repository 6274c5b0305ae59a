import type { FailureStatus } from './decode-object.ts';
import { ApiError } from './kube-api.ts';

/** What the HTTP answer said, apart from its body. */
export interface FailureHead {
  readonly status: number;
  /** The header `Retry-After`, in seconds. */
  readonly retryAfter: string | undefined;
}

/**
 * The error of an answer that is no success, or of an `ERROR` event, which has no head. The status is HTTP's, and the rest is
 * from Kubernetes' `Status` where there is one: a proxy between answers with pages of its own, which are not repeated.
 */
export function failureOf(what: string, head: FailureHead | undefined, failure: FailureStatus | undefined): ApiError {
  const status = head?.status ?? failure?.code ?? 500;
  const said = failure?.message ?? 'the answer is no Status of Kubernetes';
  return new ApiError({
    status,
    reason: failure?.reason ?? 'Unknown',
    message: `${what}: ${status} ${said}`,
    retryAfter: retryAfterOf(head, failure),
  });
}

function retryAfterOf(head: FailureHead | undefined, failure: FailureStatus | undefined): number | undefined {
  const inHead = head?.retryAfter;
  if (inHead !== undefined && /^[0-9]{1,9}$/.test(inHead)) return Number(inHead) * 1000;
  const inBody = failure?.details?.retryAfterSeconds;
  return inBody === undefined || inBody <= 0 ? undefined : inBody * 1000;
}
