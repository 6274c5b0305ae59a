import { clusterPresetUid, type PodSettings } from '../api/cluster/pod-settings.ts';
import type { Preset } from '../domain/preset.ts';
import { minutes } from '../domain/units.ts';
import { poolName } from '../domain/ids.ts';
import { renderPodTemplate, type PodIdentity, type PodTemplate } from '../backend/kubernetes/render-pod-template.ts';
import { WHOLE_POOL } from '../domain/pool.ts';
import { NO_RESOURCES } from '../domain/resources.ts';
import { aPreset } from './worlds.ts';

/** The pod of the preset `small` of the ModelDeployment `chat` in namespace `ml`, unless told otherwise. */
export const aPodSettings = (overrides: Partial<PodSettings> = {}): PodSettings => ({
  owner: { namespace: 'ml', name: 'chat', uid: '11111111-2222-4333-8444-555555555555' },
  preset: 'small',
  pool: 'default',
  model: 'small',
  image: 'ghcr.io/ggml-org/llama.cpp:server-b11434',
  args: [],
  env: [],
  source: { kind: 'path', path: '/models/small.gguf' },
  files: [],
  resources: {},
  pod: {},
  provisionTimeout: minutes(30),
  loadTimeout: minutes(10),
  drainTimeout: minutes(30),
  ...overrides,
});

/** The template of settings that are known to be good. */
export function templateOf(settings: PodSettings): PodTemplate {
  const rendered = renderPodTemplate(settings);
  if (!rendered.ok) throw new Error(rendered.message);
  return rendered.template;
}

/** What sets a pod apart from others of its template: in slot 0 of an undivided pool, unless told otherwise. */
export const anIdentity = (overrides: Partial<PodIdentity> = {}): PodIdentity => ({
  slot: 0,
  prefix: '/corral-1',
  bin: WHOLE_POOL,
  footprint: NO_RESOURCES,
  ...overrides,
});

/** The preset that a template is of, as the operator's catalog has it. */
export const presetOf = ({ settings, rendered, serves }: PodTemplate): Preset =>
  aPreset(settings.model, {
    uid: clusterPresetUid(settings.owner.uid, settings.preset),
    pool: poolName(settings.pool),
    rendered,
    serves,
  });
