import type { ModelName } from '../../domain/ids.ts';
import type { Launch } from '../../domain/preset.ts';
import { type FootprintVerdict, judgeFootprint } from '../footprint.ts';
import { findPriorityFault } from '../judge-priority.ts';
import { DEFAULT_STOP_TIMEOUT } from '../preset-draft.ts';
import type { PoolAdmission } from './admit-to-pool.ts';
import {
  aliasOf,
  type DeclaredPreset,
  type DeclaredSettings,
  filesOf,
  priorityOf,
  settle,
  sourceOf,
} from './declared-preset.ts';
import type { PoolSettings } from './decode-objects.ts';
import { mergeLayers, mergeLimits } from './merge-layers.ts';
import type { PodSettings } from './pod-settings.ts';
import {
  describeLost,
  type LostName,
  type PresetOutcome,
  type PresetRefusal,
  type Rendered,
  type Rendering,
} from './verdict.ts';

/** What a preset's outcome depends on. */
export interface PresetCase {
  readonly declared: DeclaredPreset;
  readonly admission: PoolAdmission;
  readonly granted: readonly ModelName[];
  readonly lost: readonly LostName[];
}

interface Refused {
  readonly kind: 'refused';
  readonly refusal: PresetRefusal;
}

const refuse = (reason: PresetRefusal['reason'], message: string): Refused => ({
  kind: 'refused',
  refusal: { reason, message },
});

/** What pods are made from lies in the template: nothing of a preset's launch is read in a cluster. */
const LAUNCH: Launch = { args: [], env: new Map(), stopTimeout: DEFAULT_STOP_TIMEOUT };

function refusePriority(declared: DeclaredPreset, { maxPriority, pool }: PoolSettings): PresetRefusal | undefined {
  const message = findPriorityFault(priorityOf(declared), { name: pool.name, maxPriority });
  return message === undefined ? undefined : { reason: 'PriorityNotAllowed', message };
}

const footprintOf = ({ preset, layers }: DeclaredPreset, { pool }: PoolSettings): FootprintVerdict =>
  judgeFootprint({ footprint: preset.footprint, limits: mergeLimits(layers) }, pool);

function podSettings(
  declared: DeclaredPreset,
  settled: DeclaredSettings,
  { drainTimeout }: PoolSettings,
): Refused | { readonly kind: 'made'; readonly settings: PodSettings } {
  const files = filesOf(declared.preset);
  const { image, args, ...merged } = mergeLayers(declared.layers, files);
  if (args.kind === 'fault') return refuse('InvalidArguments', args.message);
  if (image === undefined) {
    return refuse('InvalidPod', 'engine.image is missing: set it in the preset, in spec.defaults or in its ModelPool');
  }
  const settings = {
    ...merged,
    owner: declared.deployment.ref,
    preset: declared.preset.name,
    pool: settled.pool,
    model: aliasOf(declared),
    image,
    args: args.args,
    source: sourceOf(declared.preset.source),
    files,
    loadTimeout: settled.scaling.loadTimeout,
    drainTimeout,
  };
  return { kind: 'made', settings };
}

/**
 * Whether a preset is run. First match of: its pool is missing or does not take it, its priority is too high, it does not say what
 * it takes of the pool, none of its names is its own, its arguments are wrong, its pod cannot be rendered.
 */
export function judgePreset<Template extends Rendering>(
  { declared, admission, granted, lost }: PresetCase,
  render: (settings: PodSettings) => Rendered<Template>,
): PresetOutcome<Template> {
  if (admission.kind === 'refused') return admission;
  const refusal = refusePriority(declared, admission.pool);
  if (refusal !== undefined) return { kind: 'refused', refusal };
  const room = footprintOf(declared, admission.pool);
  if (room.kind === 'fault') return refuse(room.reason, room.message);
  const settled = settle(declared, granted);
  if (settled === undefined) return refuse('NameConflict', describeLost(lost));
  const made = podSettings(declared, settled, admission.pool);
  if (made.kind === 'refused') return made;
  const rendered = render(made.settings);
  if (!rendered.ok) return refuse(rendered.reason, rendered.message);
  const { template } = rendered;
  const { footprint } = room;
  return { kind: 'accepted', preset: { ...settled, footprint, launch: LAUNCH, rendered: template.rendered }, template };
}
