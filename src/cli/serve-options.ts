import { Option, type Command } from 'commander';
import type { OwnOption } from '../api/parse-argv.ts';
import { milliseconds, type Duration } from '../domain/units.ts';
import type { EdgeLimits } from '../edge/limits.ts';
import type { LogLevel } from '../platform/log.ts';
import { KEYS_FILE_OPTION, LLAMA_KEY_OPTIONS, type AccessFlags } from './access-options.ts';
import { adminHost, adminPort, type AdminFlags } from './admin-options.ts';
import { duration, HIGHEST_PORT, LOG_LEVELS, notEmpty, wholeNumber } from './flag-values.ts';
import { LIMIT_OPTIONS } from './limit-options.ts';
import { PROXY_OPTIONS, type ProxyFlags } from './proxy-options.ts';
import { shutdownDelay, type ShutdownFlags } from './shutdown-delay.ts';
import { SURFACE_OPTIONS, type SurfaceFlags } from './surface-options.ts';

/** What `corral serve` was told, beside llama-server's own options. */
export interface ServeFlags extends AccessFlags, AdminFlags, ShutdownFlags, SurfaceFlags, EdgeLimits, ProxyFlags {
  readonly modelsDir?: string;
  readonly modelsPreset?: string;
  readonly filename: readonly string[];
  /** Manifests are checked, and nothing is started. */
  readonly check?: boolean;
  /** Absent: not given, which means 4. */
  readonly modelsMax?: number;
  readonly modelsAutoload: boolean;
  readonly idleTimeout: Duration;
  readonly host: string;
  readonly port: number;
  readonly llamaServer?: string;
  readonly logLevel: LogLevel;
}

const collect = (text: string, before: readonly string[]): readonly string[] => [...before, notEmpty(text)];

/** Corral's own options of `serve`. The variables are those that llama-server's router reads for the same options. */
const SERVE_OPTIONS: readonly Option[] = [
  new Option('--models-dir <folder>', 'serve every .gguf in it: NAME.gguf and NAME/*.gguf as model NAME')
    .env('LLAMA_ARG_MODELS_DIR')
    .argParser(notEmpty),
  new Option('--models-preset <file>', "serve a presets file, as llama-server's router does")
    .env('LLAMA_ARG_MODELS_PRESET')
    .argParser(notEmpty),
  new Option('-f, --filename <file>', 'serve the ModelDeployments and ModelPools of a manifest (may be repeated)')
    .argParser(collect)
    .default([], 'none'),
  new Option('--check', 'only check the manifests of -f, with the verdict a cluster would give, and start nothing'),
  new Option('--models-max <n>', 'models loaded at once; 0: no limit (default: 4)')
    .env('LLAMA_ARG_MODELS_MAX')
    .argParser(wholeNumber(10_000)),
  new Option('--models-autoload', 'load a model when a request names it').default(true),
  new Option('--no-models-autoload', 'load models only by POST /models/load'),
  new Option('--idle-timeout <time>', "end a model's process this long after its last request; 0: never")
    .argParser(duration)
    .default(milliseconds(0), '0'),
  new Option('--host <address>', 'listen on this address')
    .env('LLAMA_ARG_HOST')
    .argParser(notEmpty)
    .default('127.0.0.1'),
  new Option('--port <port>', 'listen on this port; 0: any free one')
    .env('LLAMA_ARG_PORT')
    .argParser(wholeNumber(HIGHEST_PORT))
    .default(8080),
  adminPort(),
  adminHost('127.0.0.1'),
  new Option(
    '--llama-server <path>',
    'the llama-server to run, else LLAMA_SERVER; see `corral llama-server --help`',
  ).argParser(notEmpty),
  new Option('--log-level <level>', 'how much to log').choices(LOG_LEVELS).default('info'),
  shutdownDelay(milliseconds(0), '0'),
  ...PROXY_OPTIONS,
  KEYS_FILE_OPTION,
  ...LLAMA_KEY_OPTIONS,
  ...SURFACE_OPTIONS,
  ...LIMIT_OPTIONS,
];

/** Corral's own options by name, for the splitting of the command line. */
export const OWN_OPTIONS: readonly OwnOption[] = [
  ...SERVE_OPTIONS.map((option) => ({
    names: [option.short, option.long].filter((name) => name !== undefined),
    values: option.required ? (1 as const) : (0 as const),
  })),
  { names: ['-h', '--help'], values: 0 },
];

/** Adds the options to a command. */
export const withServeOptions = (command: Command): Command =>
  SERVE_OPTIONS.reduce((built, option) => built.addOption(option), command);

/** The flags, by their fields, that stand on the command line, and not in a variable or nowhere. */
export const typedFlags = (command: Command): ReadonlySet<string> =>
  new Set(
    command.options
      .map((option) => option.attributeName())
      .filter((name) => command.getOptionValueSource(name) === 'cli'),
  );
