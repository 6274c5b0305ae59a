import { randomBytes } from 'node:crypto';
import { findEnvRefusal } from '../../api/reserved-options.ts';
import type { Endpoint } from '../../domain/replica.ts';
import type { Preset } from '../../domain/preset.ts';
import { isAllocatorSetting } from '../../platform/allocator.ts';
import { HTTP_THREADS } from '../http-threads.ts';

const PREFIX_START = '/corral-';

/**
 * An `--api-prefix` that nobody can guess and that tells whose child it is: a port that has gone to another process
 * never answers for this model, and the next Corral finds what a killed one has left behind.
 */
export const newPrefix = (owner: number): string => `${PREFIX_START}${owner}-${randomBytes(16).toString('hex')}`;

/** The process id of the Corral that started a child with this command line; `undefined`: it is no child of a Corral. */
export function ownerOf(commandLine: readonly string[]): number | undefined {
  const prefix = commandLine[commandLine.indexOf('--api-prefix') + 1];
  const match = prefix === undefined ? null : /^\/corral-(\d+)-[0-9a-f]{32}$/u.exec(prefix);
  return match === null ? undefined : Number(match[1]);
}

/** llama-server's arguments for a preset at an endpoint: the preset's own first, so that Corral's win. */
export function renderArguments({ model, launch }: Preset, { origin, prefix }: Endpoint): string[] {
  const { hostname, port } = new URL(origin);
  const threads = launch.args.includes('--threads-http') ? [] : ['--threads-http', HTTP_THREADS];
  return [...launch.args, ...threads, '--alias', model, '--host', hostname, '--port', port, '--api-prefix', prefix];
}

/**
 * A child's environment: Corral's own, without what would make it another server than was declared and without what only Corral's
 * allocator is to know, under the preset's.
 */
export function renderEnvironment(base: NodeJS.ProcessEnv, preset: Preset): NodeJS.ProcessEnv {
  const inherited = Object.entries(base).filter(
    ([name, value]) => findEnvRefusal(name) === undefined && !isAllocatorSetting(name, value),
  );
  return Object.fromEntries([...inherited, ...preset.launch.env]);
}
