import type { ApiObject } from './api-client.ts';

/** Whether no edge may send a pod anything. */
export const isClosed = ({ annotations }: ApiObject['metadata']): boolean =>
  annotations?.['corral.dev/gate']?.startsWith('closed/') === true;
