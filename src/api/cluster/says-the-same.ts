import { isDeepStrictEqual } from 'node:util';
import type { ModelDeploymentStatus, PresetStatus } from '../model-deployment-schema.ts';

/** Two readings of one instant on two clocks differ by less. */
const SLACK_MS = 2000;

function isSameTime(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Math.abs(Date.parse(a) - Date.parse(b)) < SLACK_MS;
}

const withoutTimes = (status: PresetStatus): object => ({
  ...status,
  lastLoadedTime: status.lastLoadedTime !== undefined,
  lastUsedTime: undefined,
  backOff: undefined,
  lastFailure: status.lastFailure === undefined ? undefined : { ...status.lastFailure, podUids: undefined },
});

const retriesOf = ({ presets = [] }: ModelDeploymentStatus): (string | undefined)[] =>
  presets.map(({ backOff }) => backOff?.nextRetryTime);

type Pods = ReadonlySet<string>;

/** Pods whose failures are counted. That one of them is gone is no news. */
const failedPods = ({ presets = [] }: ModelDeploymentStatus): Pods =>
  new Set(presets.flatMap(({ lastFailure }) => lastFailure?.podUids ?? []));

/** Whether two statuses differ in nothing but when a model was last loaded and last used, and which failed pods are still there. */
export function saysTheSame(before: ModelDeploymentStatus, after: ModelDeploymentStatus): boolean {
  const timeless = ({ presets = [], ...rest }: ModelDeploymentStatus): object => ({
    ...rest,
    presets: presets.map(withoutTimes),
  });
  const retries = retriesOf(after);
  return (
    isDeepStrictEqual(timeless(before), timeless(after)) &&
    retriesOf(before).every((time, index) => isSameTime(time, retries[index])) &&
    failedPods(after).isSubsetOf(failedPods(before))
  );
}
