import type { ApiObject } from '../../cluster/support/api-client.ts';
import { isClosed } from '../../cluster/support/pod-gate.ts';
import type { Mirror } from '../operator-trials/mirror.ts';
import type { DrainStage } from './drain-stage.ts';

/** Pods whose gate was open until the call, and is closed. */
function newlyClosed(pods: Mirror): () => readonly ApiObject[] {
  const closed = (): readonly ApiObject[] => pods.objects.filter(({ metadata }) => isClosed(metadata));
  const known = new Set(closed().map(({ metadata }) => metadata.uid));
  return () => closed().filter(({ metadata }) => !known.has(metadata.uid));
}

/** Resolves when a gate that was open until now is closed. */
export async function untilClosed({ pods }: DrainStage): Promise<void> {
  const find = newlyClosed(pods);
  await pods.until('a closed gate', () => (find().length > 0 ? true : undefined));
}

/** Resolves when a gate that was open until now is closed, and each edge has acknowledged that. */
export async function untilAcknowledged({ pods, reports }: DrainStage): Promise<void> {
  const find = newlyClosed(pods);
  const isAcknowledged = ({ metadata }: ApiObject): boolean => {
    const epoch = metadata.annotations?.['corral.dev/gate']?.split('/')[1];
    const ack = `{"epoch":${String(epoch)},"podUid":"${metadata.uid}"}`;
    return reports.objects.every((report) => JSON.stringify(report['report']).includes(ack));
  };
  await reports.until('an acknowledged gate', () => (find().some(isAcknowledged) ? true : undefined));
}
