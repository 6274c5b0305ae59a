import { readMember } from '../../api/field-path.ts';

const membersOf = (object: unknown): readonly unknown[] => {
  const volumes = readMember(readMember(object, 'spec'), 'volumes');
  return Array.isArray(volumes) ? volumes : [];
};

/** Whether an API server may leave something of it out without a word: see `findDroppedVolume`. Then it is to be tried out first. */
export const mayLoseVolumes = (pod: unknown): boolean =>
  membersOf(pod).some((volume) => readMember(volume, 'image') !== undefined);

/**
 * Why the pod that an API server makes of ours could never load its model; `undefined`: it is whole. Without its feature gate
 * ImageVolume an API server leaves volumes of images out, and their mounts, and says nothing (Kubernetes 1.34,
 * pkg/api/pod/util.go, dropImageVolumes). The gate is on by default from 1.35 on.
 */
export function findDroppedVolume(sent: unknown, made: unknown): string | undefined {
  const kept = new Set(membersOf(made).map((volume) => readMember(volume, 'name')));
  const dropped = membersOf(sent).find((volume) => !kept.has(readMember(volume, 'name')));
  if (dropped === undefined) return undefined;
  const image = readMember(readMember(dropped, 'image'), 'reference');
  return typeof image === 'string'
    ? `the API server mounts no images, and has left ${image} out; fix: its feature gate ImageVolume, and that of the kubelets`
    : `the API server has left the volume ${String(readMember(dropped, 'name'))} out`;
}
