import { OWN_VOLUMES } from './find-pod-fault.ts';

/**
 * What a node says that mounts no images; it names neither image nor cause. A kubelet without the feature gate knows no such volume
 * (Kubernetes v1.34, pkg/kubelet/volumemanager). A container runtime that is too old is told of no path, and tries to make
 * that (containerd 1.6, pkg/cri/opts, WithMounts).
 */
const NO_IMAGE_MOUNTS = new RegExp(
  `for volume "${OWN_VOLUMES}[^"]*" err=no volume plugin matched|failed to mkdir "": `,
  'u',
);

const REMEDY =
  'the node mounts no images; fix: the feature gate ImageVolume of its kubelet, and containerd 2.1, CRI-O 1.31 or newer there';

/** A node's words, with what is to be done where they mean that it mounts no images. */
export const explainNoImageMounts = (words: string): string =>
  NO_IMAGE_MOUNTS.test(words) ? `${words}; ${REMEDY}` : words;
