import type { ModelName, PresetUid } from '../../domain/ids.ts';
import type { Preset } from '../../domain/preset.ts';

/** Which ModelDeployment: its uid too, because one that is created again under its name is another. */
export interface DeploymentRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Namespace and name, for people. */
export const formatObject = ({ namespace, name }: Pick<DeploymentRef, 'namespace' | 'name'>): string =>
  `${namespace}/${name}`;

/** Why a preset is not run as it is declared: the closed list of the condition PresetsAccepted. */
const REFUSAL_REASONS = [
  'NameConflict',
  'PoolNotFound',
  'PoolNotAllowed',
  'PriorityNotAllowed',
  'FootprintMissing',
  'UnknownResource',
  'InvalidArguments',
  'InvalidPod',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Whether a word of a status is one of these. */
export const isRefusalReason = (word: string): word is RefusalReason =>
  REFUSAL_REASONS.some((reason) => reason === word);

export interface PresetRefusal {
  readonly reason: RefusalReason;
  /** One sentence without a full stop at its end: what is wrong, and what to do about it. */
  readonly message: string;
}

/** A name that a preset declares and that belongs to another ModelDeployment. */
export interface LostName {
  readonly name: ModelName;
  /** Namespace and name of its holder. */
  readonly holder: string;
}

/** `the name "a" belongs to ml/chat, the name "b" belongs to ml/code`. */
export const describeLost = (lost: readonly LostName[]): string =>
  lost.map(({ name, holder }) => `the name ${JSON.stringify(name)} belongs to ${holder}`).join(', ');

/** What pods are made from, whatever it is: with the hash of everything that is rendered. */
export interface Rendering {
  readonly rendered: string;
}

/** What rendering makes of a preset: the template of its pods, or why there can be none. */
export type Rendered<Template extends Rendering> =
  | { readonly ok: true; readonly template: Template }
  | { readonly ok: false; readonly reason: 'InvalidPod'; readonly message: string };

export type PresetOutcome<Template> =
  | { readonly kind: 'accepted'; readonly preset: Preset; readonly template: Template }
  | { readonly kind: 'refused'; readonly refusal: PresetRefusal };

/** What becomes of one declared preset. */
export interface PresetVerdict<Template> {
  readonly uid: PresetUid;
  /** The preset's name within its object. */
  readonly name: string;
  /** Of the names that it declares, those that reach it, in their order. Also of a refused preset: clients are told why. */
  readonly granted: readonly ModelName[];
  readonly lost: readonly LostName[];
  readonly outcome: PresetOutcome<Template>;
}
