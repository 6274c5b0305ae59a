import type { Replica } from '../../../../src/domain/replica.ts';

// Not what src/domain says of it: a fault there must not hide itself.

/** Its process may still exist. */
export const takesRoom = ({ state }: Replica): boolean => state.kind !== 'failed';

/** It answers, or will. */
export const isThere = ({ state }: Replica): boolean => state.kind === 'starting' || state.kind === 'ready';

/** It is on its way out. */
export const isLeaving = ({ state }: Replica): boolean => state.kind === 'draining' || state.kind === 'stopping';
