import type { DeploymentVerdict } from '../api/cluster/accept.ts';
import type { PresetVerdict } from '../api/cluster/verdict.ts';
import type { PresetStatus } from '../api/model-deployment-schema.ts';

/** What the status of its ModelDeployment says of a preset. A status that was copied into another object says nothing there. */
export const statusOf = (
  { name }: PresetVerdict<unknown>,
  { deployment }: DeploymentVerdict<unknown>,
): PresetStatus | undefined =>
  deployment.status?.presets?.find((status) => status.name === name && status.uid === deployment.ref.uid);
