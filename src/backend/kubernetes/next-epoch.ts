import { hash } from 'node:crypto';
import type { PodView } from '../../api/cluster/pod-view.ts';
import { LARGEST_EPOCH } from '../../api/edge-report-schema.ts';
import { RESOURCE_VERSION_PATTERN } from '../../kube/resource-version.ts';

/** How many numbers the lower half of them has, and the first of the upper half. */
const HALF = (BigInt(LARGEST_EPOCH) + 1n) / 2n;
const DECIMAL = new RegExp(RESOURCE_VERSION_PATTERN, 'u');

/**
 * The number of the next change of a gate: none that Corral has given to a gate of this pod. The last report of an edge may still
 * acknowledge any of those, and its word about that closing would count for this one. After a gate that cannot be read, whose number
 * nobody knows, and after the largest number it comes from the resourceVersion.
 */
export function nextEpoch({ gate, resourceVersion }: Pick<PodView, 'gate' | 'resourceVersion'>): number {
  return gate === undefined || gate.epoch >= LARGEST_EPOCH ? freshEpoch(resourceVersion) : gate.epoch + 1;
}

/**
 * A change of a gate adds one to its number and one or more to the pod's resourceVersion, so that the latter is greater than every
 * number before. One that is too large for that counts on in the upper half, which no counting from 0 comes to; it begins again
 * there after more writes than a pod lives to see. It is never the largest, which may have been the number before.
 */
function freshEpoch(resourceVersion: string): number {
  const version = asNumber(resourceVersion);
  return Number(version < HALF ? version : HALF + (version % (HALF - 1n)));
}

/** Kubernetes promises a number. Of any other text two that are the same number are as good as impossible. */
const asNumber = (resourceVersion: string): bigint =>
  BigInt(DECIMAL.test(resourceVersion) ? resourceVersion : `0x${hash('sha256', resourceVersion, 'hex')}`);
