import type { PodWatch } from './pod-watch.ts';

/**
 * The presets of pods in the order in which their objects came and went; an object that comes while as many are there as
 * have room is `too early`.
 */
export function comingsAndGoings({ events }: PodWatch, room = 1): readonly string[] {
  let there = 0;
  return events.flatMap(({ kind, pod }) => {
    const preset = String(pod.metadata.labels?.['corral.dev/preset']);
    if (kind === 'changed') return [];
    there += kind === 'created' ? 1 : -1;
    return [`${preset} ${kind}${there > room ? ' too early' : ''}`];
  });
}
