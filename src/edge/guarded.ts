import type { Refusal } from './refusal.ts';
import type { EdgeContext, Visit } from './visit.ts';

/** Runs a part of the work for a request. A fault of ours in it, now or in its promise, ends that request and nothing else. */
export function guarded(edge: Pick<EdgeContext, 'log'>, visit: Visit, work: () => void | Promise<void>): void {
  const blame = (error: unknown): void => {
    edge.log.error('request failed by a fault of ours', { path: visit.path, error });
    failFromOutside(visit, FAULT);
  };
  try {
    work()?.catch(blame);
  } catch (error) {
    blame(error);
  }
}

/** Ends a request, wherever it is. */
export function failFromOutside({ reserved, answer }: Visit, refusal: Refusal): void {
  reserved?.release();
  answer.refuse(refusal);
}

const FAULT: Refusal = { status: 500, code: 'internal_error', message: 'this is a fault of the server', close: true };
