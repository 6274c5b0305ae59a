import type { PoolName } from '../domain/ids.ts';
import type { Preset, QueueLimits, Scaling } from '../domain/preset.ts';
import { type Duration, minutes, seconds } from '../domain/units.ts';
import type { SitedName } from './decode-presets.ts';
import type { Sited, SitedVariant } from './decode-manifests.ts';
import type { DeclaredRoom } from './footprint.ts';
import type { ArgItem } from './llama-options.ts';
import type { ScalingDefaults } from './merge-scaling.ts';

/** What the program's flags say about every model. */
export interface CatalogSettings {
  /** llama-server's options of the command line: they win over everything, as in llama-server's router. */
  readonly args: readonly ArgItem[];
  /** For models that set none; 0: never. */
  readonly idleTimeout: Duration;
  readonly autoload: boolean;
  /** Of the pool `default` where no manifest declares one; 0: no limit; `undefined`: not given. */
  readonly maxLoaded: number | undefined;
}

/** A preset with everything merged, before its name is known to be free. */
export interface PresetDraft {
  readonly model: SitedName;
  readonly aliases: readonly SitedName[];
  /** Aliases that nobody has written: it gets those that are free. */
  readonly invented: readonly SitedName[];
  readonly variants: readonly SitedVariant[];
  readonly tags: readonly string[];
  readonly pool: PoolName;
  /** Where it says what it takes, else the name of its model. */
  readonly room: Sited<DeclaredRoom>;
  readonly priority: Sited<number>;
  readonly args: readonly ArgItem[];
  readonly env: ReadonlyMap<string, string>;
  readonly stopTimeout: Duration;
  readonly scaling: Scaling;
  readonly queue: QueueLimits;
  readonly origin: Preset['origin'];
}

export const DEFAULT_STOP_TIMEOUT: Duration = seconds(5);
/** As llama-server's `--models-max`. */
export const DEFAULT_MAX_LOADED = 4;
const DEFAULT_LOAD_TIMEOUT: Duration = minutes(10);
export const DEFAULT_QUEUE: QueueLimits = { maxWaiting: 256, maxWait: minutes(10) };

/** What holds where nobody has said anything. */
export const defaultScaling = ({
  idleTimeout,
  autoload,
}: Pick<CatalogSettings, 'idleTimeout' | 'autoload'>): ScalingDefaults => ({
  idleTimeout,
  loadTimeout: DEFAULT_LOAD_TIMEOUT,
  autoload,
  loadOnStartup: false,
});
