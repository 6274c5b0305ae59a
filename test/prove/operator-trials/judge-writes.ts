import type { ApiObject } from '../../cluster/support/api-client.ts';
import { isClosed } from '../../cluster/support/pod-gate.ts';
import { isReady } from '../../cluster/support/test-cluster.ts';
import type { AuditedWrite } from './audit-tail.ts';
import { countBy } from './kill-points.ts';
import type { Trial } from './trial.ts';
import { textAt } from '../../cluster/support/field-at.ts';

/** How often a pod of each preset was created and deleted by an operator, as the API server has carried it out. */
export function comingsOf(writes: readonly AuditedWrite[], { id }: Trial): ReadonlyMap<string, number> {
  const done = writes.filter((write) => isOfPod(write) && write.verb !== 'patch');
  return countBy(done.map(({ verb, name }) => `${verb} ${maskName(name, id)}`));
}

const isOfPod = ({ resource, isDryRun, status }: AuditedWrite): boolean =>
  resource === 'pods' && !isDryRun && status < 300;

/** Also the number at its end: it is another one where a watch has not told yet that the pod before is gone. */
const maskName = (name: string, id: string): string =>
  name
    .replaceAll(id, 'TRIAL')
    .replaceAll(/[0-9a-f]{10}/gu, 'HEX')
    .replace(/-\d+$/u, '-N');

/** One sentence for each thing that an operator has done and must not have done. */
export function judgeWrites(
  writes: readonly AuditedWrite[],
  trial: Trial,
  reference: ReadonlyMap<string, number>,
): readonly string[] {
  const tooOften = [...comingsOf(writes, trial)].filter(([what, count]) => {
    const undisturbed = reference.get(what);
    return undisturbed === undefined || count > undisturbed;
  });
  return [
    ...tooOften.map(([what, count]) => `${what} ${count} times, undisturbed ${String(reference.get(what))}`),
    ...writes
      .filter((write) => isOfPod(write) && write.verb === 'delete')
      .flatMap((write) => judgeDeletion(write, trial)),
  ];
}

/** A pod that was ready leaves only behind a closed gate, and when nothing is in flight there. */
function judgeDeletion({ answer, name }: AuditedWrite, { stage }: Trial): readonly string[] {
  if (!isPod(answer)) return [];
  const wasOpen = isReady(answer) && !isClosed(answer.metadata);
  return [
    ...(wasOpen ? [`${name} was deleted while its gate was open`] : []),
    ...(stage.edge.cut.has(answer.metadata.uid) ? [`${name} was deleted while a request was in flight there`] : []),
  ];
}

const isPod = (answer: unknown): answer is ApiObject => textAt(answer, 'kind') === 'Pod';
