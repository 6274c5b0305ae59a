import type { TroubleCode } from '../../domain/replica.ts';
import type { ModelDeploymentStatus } from '../model-deployment-schema.ts';
import type { RefusalReason } from './verdict.ts';

export type Conditions = NonNullable<ModelDeploymentStatus['conditions']>;
export type Condition = Conditions[number];

/** The words that a condition of a ModelDeployment or a ModelPool may have for its reason. */
export type ConditionReason =
  | 'Accepted'
  | 'InvalidSpec'
  | 'NoPresetAccepted'
  | 'Ready'
  | 'PartlyAccepted'
  | 'PoolPaused'
  | 'LoadFailed'
  | 'TooLarge'
  | 'NoEdge'
  | TroubleCode
  | RefusalReason;

/** What holds now, before it is known since when. */
export interface Finding {
  readonly type: string;
  readonly holds: boolean;
  readonly reason: ConditionReason;
  readonly message: string;
}

/** The schema allows 32 KiB; nobody reads so much, and objects are to stay small. */
const MAX_MESSAGE = 2048;

/**
 * A text for people of at most `length` characters, without control characters but line feeds: it may hold what a
 * llama-server has written. Well-formed, since an API server would store something else otherwise, and it would be written
 * for ever.
 */
export function cutText(text: string, length: number): string {
  const clean = text.replaceAll(/[^\P{Cc}\n]/gu, ' ').toWellFormed();
  return clean.length <= length ? clean : `${clean.slice(0, length - 1)}…`.toWellFormed();
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. `wall`: milliseconds since 1970. */
export const formatTime = (wall: number): string => new Date(wall).toISOString().replace(/\.\d+Z$/u, 'Z');

/**
 * The conditions that say these findings. The transition time of one moves only when its status changes, not with its reason
 * (Kubernetes, `metav1.Condition`).
 */
export function renderConditions(
  findings: readonly Finding[],
  about: { readonly generation: number; readonly previous: Conditions | undefined; readonly time: string },
): Condition[] {
  const before = new Map((about.previous ?? []).map((condition) => [condition.type, condition]));
  return findings.map(({ type, holds, reason, message }) => {
    const status = holds ? 'True' : 'False';
    const last = before.get(type);
    return {
      type,
      status,
      observedGeneration: about.generation,
      lastTransitionTime: last?.status === status ? last.lastTransitionTime : about.time,
      reason,
      message: cutText(message, MAX_MESSAGE),
    };
  });
}
