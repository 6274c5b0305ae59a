import type { ApiObject } from './api-client.ts';
import { textAt } from './field-at.ts';

/** The node on which a pod runs. */
export const nodeOf = (pod: ApiObject): string => String(textAt(pod, 'spec', 'nodeName'));
