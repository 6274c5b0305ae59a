import Type from 'typebox';
import { Value } from 'typebox/value';
import type { ApiObject } from './api-client.ts';

const StatusSchema = Type.Object({
  presets: Type.Array(
    Type.Object({
      name: Type.String(),
      phase: Type.String(),
      reason: Type.Optional(Type.String()),
      message: Type.Optional(Type.String()),
      names: Type.Optional(Type.Array(Type.String())),
      evictedFor: Type.Optional(Type.String()),
    }),
  ),
});

/** What the status of a ModelDeployment says of one preset. */
export interface PresetStatus {
  readonly phase: string;
  readonly reason: string | undefined;
  readonly message: string;
  readonly names: readonly string[];
  readonly evictedFor: string | undefined;
}

/** `undefined`: nothing is said of it. */
export function findPreset(deployment: ApiObject | undefined, preset: string): PresetStatus | undefined {
  const status = deployment?.['status'];
  if (!Value.Check(StatusSchema, status)) return undefined;
  const found = status.presets.find(({ name }) => name === preset);
  if (found === undefined) return undefined;
  const { phase, reason, message = '', names = [], evictedFor } = found;
  return { phase, reason, message, names, evictedFor };
}
