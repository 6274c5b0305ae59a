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
});

function isSamePreset(a: PresetStatus, b: PresetStatus | undefined): boolean {
  if (b === undefined || !isSameTime(a.backOff?.nextRetryTime, b.backOff?.nextRetryTime)) return false;
  return isDeepStrictEqual(withoutTimes(a), withoutTimes(b));
}

/** Whether two statuses differ in nothing but when a model was last loaded and last used. */
export function saysTheSame(before: ModelDeploymentStatus, after: ModelDeploymentStatus): boolean {
  const { presets: one = [], ...rest } = before;
  const { presets: other = [], ...otherRest } = after;
  return (
    isDeepStrictEqual(rest, otherRest) &&
    one.length === other.length &&
    one.every((preset, index) => isSamePreset(preset, other[index]))
  );
}
