import { isDeepStrictEqual } from 'node:util';
import type { ModelDeploymentStatus, PresetStatus } from '../api/model-deployment-schema.ts';

/**
 * Whether two statuses differ in nothing but why presets wait. Where many wait for one pool, that changes for all of them with each
 * model that comes or goes.
 */
export const differsInWords = (told: ModelDeploymentStatus, status: ModelDeploymentStatus): boolean =>
  isDeepStrictEqual(withoutWords(told), withoutWords(status));

const withoutWords = ({ presets, ...rest }: ModelDeploymentStatus): object => ({
  ...rest,
  presets: presets?.map((preset) => (preset.phase === 'Waiting' ? silent(preset) : preset)),
});

const silent = (preset: PresetStatus): PresetStatus => ({ ...preset, reason: '', message: '' });
