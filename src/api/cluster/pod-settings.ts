import type { JsonObject } from '../../domain/json.ts';
import { presetUid, type PresetUid } from '../../domain/ids.ts';
import type { Duration } from '../../domain/units.ts';
import { hashServes } from '../catalog.ts';
import { type FileArg, isPartOfAnswer } from '../model-files.ts';

/** The ModelDeployment that a pod belongs to. */
export interface PodOwner {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Where the model comes from. */
export type ModelSource =
  /** A file in the image, or in a volume that the `pod` part mounts. */
  | { readonly kind: 'path'; readonly path: string }
  /** `path` is relative to the volume's root. */
  | { readonly kind: 'persistentVolumeClaim'; readonly claimName: string; readonly path: string }
  /** `path` is relative to the image's root. */
  | { readonly kind: 'image'; readonly reference: string; readonly path: string }
  /** Downloaded before llama-server starts. */
  | { readonly kind: 'url'; readonly url: string; readonly sha256: string | undefined }
  | {
      readonly kind: 'huggingFace';
      readonly repo: string;
      readonly quant: string | undefined;
      readonly tokenSecretRef: { readonly name: string; readonly key: string } | undefined;
    };

/** A further file of the model: a projector, a draft model, or an adapter. */
export interface ModelFile {
  readonly arg: FileArg;
  readonly source: ModelSource;
}

/** One variable as a container has it: with `value` (taken as it is, `$(` means nothing) or with `valueFrom`. */
export type EnvItem = JsonObject & { readonly name: string };

/** The part of a pod template that a user may write. Layers are merged already: maps by key, lists appended. */
export interface PodPart {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly JsonObject[];
  readonly affinity?: JsonObject;
  readonly topologySpreadConstraints?: readonly JsonObject[];
  readonly runtimeClassName?: string;
  readonly priorityClassName?: string;
  readonly schedulerName?: string;
  readonly imagePullSecrets?: readonly JsonObject[];
  /** The pod's, not a container's. */
  readonly securityContext?: JsonObject;
  readonly volumes?: readonly JsonObject[];
  /** Of the llama-server. */
  readonly volumeMounts?: readonly JsonObject[];
  /** Of the llama-server. */
  readonly envFrom?: readonly JsonObject[];
  readonly initContainers?: readonly JsonObject[];
  /** Containers that run beside the llama-server and end after it. */
  readonly sidecars?: readonly JsonObject[];
  readonly resourceClaims?: readonly JsonObject[];
}

/** The llama-server's `resources`. Without `claims` it gets all of `pod.resourceClaims`. */
export interface PodResources {
  readonly limits?: Readonly<Record<string, string | number>>;
  readonly requests?: Readonly<Record<string, string | number>>;
  readonly claims?: readonly JsonObject[];
}

/** Everything that a preset's pod is rendered from: all layers merged, every reference resolved. */
export interface PodSettings {
  readonly owner: PodOwner;
  /** The preset's name in its ModelDeployment, a DNS label. */
  readonly preset: string;
  /** The pool's name. */
  readonly pool: string;
  /** What clients call it, and its llama-server's `--alias`. */
  readonly model: string;
  readonly image: string;
  /** llama-server's arguments, one argv item each, without the model's source and files, host, port, alias and prefix. */
  readonly args: readonly string[];
  readonly env: readonly EnvItem[];
  readonly source: ModelSource;
  readonly files: readonly ModelFile[];
  readonly resources: PodResources;
  readonly pod: PodPart;
  /** From the pod's creation to its llama-server running. */
  readonly provisionTimeout: Duration;
  /** From running to ready. */
  readonly loadTimeout: Duration;
  /** How long the requests of a pod that somebody else has deleted may go on. */
  readonly drainTimeout: Duration;
}

/** The identity of a preset in a cluster: one that is deleted and declared again under its name is another. */
export const clusterPresetUid = (ownerUid: string, preset: string): PresetUid => presetUid(`${ownerUid}/${preset}`);

/** The parts that `clusterPresetUid` was given: a uid holds no slash. */
export function splitPresetUid(uid: PresetUid): { readonly deploymentUid: string; readonly preset: string } {
  const slash = uid.indexOf('/');
  return { deploymentUid: uid.slice(0, slash), preset: uid.slice(slash + 1) };
}

/**
 * Hash of which model a pod answers with (`corral.dev/serves`, `Preset.serves`): its name, and where it, its projector and its
 * adapters come from. How it runs, and the token to fetch it with, are not part of it: they change no answer.
 */
export const clusterServes = (model: string, source: ModelSource, files: readonly ModelFile[]): string =>
  hashServes(model, [...sourceIdentity(source), ...files.filter(({ arg }) => isPartOfAnswer(arg)).map(fileIdentity)]);

const fileIdentity = ({ arg, source }: ModelFile): string => JSON.stringify([arg, ...sourceIdentity(source)]);

function sourceIdentity(source: ModelSource): string[] {
  switch (source.kind) {
    case 'path':
      return [source.kind, source.path];
    case 'persistentVolumeClaim':
      return [source.kind, source.claimName, source.path];
    case 'image':
      return [source.kind, source.reference, source.path];
    case 'url':
      // The same bytes from elsewhere are the same model.
      return [source.kind, source.sha256 ?? source.url];
    case 'huggingFace':
      return [source.kind, source.repo, ...(source.quant === undefined ? [] : [source.quant])];
  }
}
