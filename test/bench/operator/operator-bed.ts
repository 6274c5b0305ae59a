import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { componentToken } from '../../cluster/support/create-token.ts';
import { onSignal } from '../../cluster/support/on-signal.ts';
import { startCluster } from '../../cluster/support/start-cluster.ts';
import type { TestCluster } from '../../cluster/support/test-cluster.ts';
import { tempFolder, type Cleanup } from '../../support/temp-folder.ts';
import { buildPrograms } from '../edge/programs.ts';
import type { OperatorStart } from './operator-process.ts';
import { World } from './world.ts';

/** A control plane without nodes, with what Corral needs in it, and how to start an operator there, as it is installed. */
export interface OperatorBed {
  readonly t: Cleanup;
  readonly cluster: TestCluster;
  readonly world: World;
  readonly start: OperatorStart;
}

/** `profileFolder`: where each operator leaves a profile of itself. */
export async function startOperatorBed(t: Cleanup, profileFolder?: string): Promise<OperatorBed> {
  const folder = await tempFolder(t);
  const { corral } = buildPrograms(folder);
  const own = await startCluster({ nodes: 0, controllers: false });
  const forget = onSignal(async () => own.stop());
  t.after(async () => {
    forget();
    await own.stop();
  });
  const { cluster } = own;
  const world = new World(cluster);
  await world.install();
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, await componentToken(cluster.api, 'operator'), { mode: 0o600 });
  const profiles = profileFolder === undefined ? undefined : resolve(profileFolder);
  if (profiles !== undefined) mkdirSync(profiles, { recursive: true });
  const { server, caFile } = cluster;
  return { t, cluster, world, start: { corral, folder, server, caFile, tokenFile, profileFolder: profiles } };
}
