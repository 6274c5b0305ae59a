import { spawnSync } from 'node:child_process';

/** What searches a model: spin writes a program, and a C compiler makes it one that runs. */
const PROGRAMS = [
  ['spin', '-V'],
  ['gcc', '--version'],
] as const;

/** Why models cannot be searched on this machine, and what to do; `undefined`: they can. */
export function whyNoSpin(): string | undefined {
  const missing = PROGRAMS.filter(([name, version]) => spawnSync(name, [version], { stdio: 'ignore' }).status !== 0);
  if (missing.length === 0) return undefined;
  const names = missing.map(([name]) => name);
  return `no ${names.join(' and no ')}; fix: install what is missing, on Debian by: apt-get install ${names.join(' ')}`;
}
