import { dirname, join, resolve } from 'node:path';
import { IMAGES } from '../images/cluster-images.ts';
import { llamaServerProgram } from '../images/llama-server-image.ts';
import { startCluster } from '../start-cluster.ts';
import type { OwnCluster } from '../start-cluster.ts';
import { StartedProcesses } from '../started-processes.ts';
import { TestCluster } from '../test-cluster.ts';
import { registerNode } from './fake-node.ts';
import type { StandInImage, StandInImages } from './run-container.ts';
import { serveLogs } from './serve-logs.ts';
import { STAND_IN_NODE, StandIn } from './stand-in.ts';

const root = resolve(import.meta.dirname, '../../../..');

/** A control plane, and a stand-in for the kubelet in this process; `reason`: why there is no real node. */
export async function startStandInCluster(reason: string): Promise<OwnCluster> {
  const bare = await startCluster({ nodes: 0 });
  try {
    return await addStandIn(bare, reason);
  } catch (error) {
    await bare.stop();
    throw error;
  }
}

async function addStandIn(bare: OwnCluster, reason: string): Promise<OwnCluster> {
  const record = { ...bare.record, node: { kind: 'stand-in' as const, names: [STAND_IN_NODE], reason } };
  const cluster = new TestCluster(record);
  const folder = dirname(record.logs);
  const { server, caFile } = record;
  const standIn = new StandIn({
    ...{ api: cluster.api, processes: new StartedProcesses(folder), images: standInImages(), caFile },
    ...{ server: new URL(server), folder: join(folder, 'pods'), index: bare.index },
  });
  const logs = await serveLogs(dirname(caFile), (container) => standIn.findLog(container));
  const forgetNode = await registerNode(cluster.api, STAND_IN_NODE, logs.port);
  void standIn.follow();
  await cluster.untilNodeReady(STAND_IN_NODE);
  const stop = async (): Promise<void> => {
    forgetNode();
    logs.stop();
    standIn.end();
    await cluster.close();
    await bare.stop();
  };
  return { ...bare, cluster, record, stop };
}

/** Corral's flags say what a pod is told by files in fixed places, and where to listen among pods of one machine. */
function standInImages(): StandInImages {
  const llamaServer = { entrypoint: [llamaServerProgram(process.env)], moreArgs: () => [] };
  const corral: StandInImage = {
    entrypoint: [process.execPath, join(root, 'src/main.ts')],
    moreArgs: ({ podIp, server }, credentials) => {
      if (credentials === undefined) throw new Error('Corral needs the credentials of a service account');
      const [token, ca] = [join(credentials, 'token'), join(credentials, 'ca.crt')];
      const access = ['--api-server', server.origin, '--api-token-file', token, '--api-ca-file', ca];
      return ['--host', podIp, ...access];
    },
  };
  return new Map([
    [IMAGES['llama-server'], llamaServer],
    [IMAGES.corral, corral],
  ]);
}
