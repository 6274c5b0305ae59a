import Type from 'typebox';
import { Value } from 'typebox/value';
import type { RunningEdge } from './corral-in-cluster.ts';
import { processOf } from './pod-process.ts';
import { run } from './run.ts';
import type { Scene } from './scene.ts';

const ServiceSchema = Type.Object({ spec: Type.Object({ clusterIP: Type.String() }) });

/**
 * Cuts an edge off from the API server, in both directions and also what is connected: its pod has a network of its own. Needs a real node. Returns
 * what mends it, which happens after the test at the latest.
 */
export async function cutOff({ t, corral }: Scene, { pod }: RunningEdge): Promise<() => Promise<void>> {
  const service = await corral.cluster.api.call('GET', '/api/v1/namespaces/default/services/kubernetes');
  const { clusterIP } = Value.Parse(ServiceSchema, service).spec;
  const pid = processOf(pod);
  const rules = async (what: 'add' | 'del'): Promise<void> => {
    for (const direction of ['to', 'from'])
      await run(['nsenter', `--target=${pid}`, '--net', 'ip', 'rule', what, direction, clusterIP, 'blackhole']);
  };
  let isCut = true;
  const mend = async (): Promise<void> => {
    if (isCut) await rules('del');
    isCut = false;
  };
  await rules('add');
  t.after(mend);
  return mend;
}
