import { isDone } from './history.ts';
import type { Call } from './history.ts';

const OURS = 'system:serviceaccount:corral-system:corral-';

/** Who has made a version; `unknown`: the audit log does not tell the versions of its writes, as of a kubelet's. */
export type Writer = 'us' | 'others' | 'unknown';

/** Tells who has made each version. A write that changes nothing is answered with the version that another has made. */
export function writersOf(calls: readonly Call[]): (version: number) => Writer {
  const users = new Map<number, string>();
  for (const call of calls) {
    const { version, user } = call;
    if (version === undefined || !isDone(call) || version === call.onlyVersion || users.has(version)) continue;
    users.set(version, user);
  }
  return (version) => {
    const user = users.get(version);
    if (user === undefined) return 'unknown';
    return user.startsWith(OURS) ? 'us' : 'others';
  };
}
