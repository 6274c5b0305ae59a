import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Bench } from './bench.ts';
import { CORRAL, type Contestant } from './stage.ts';
import { readProfile, selfTimes } from './cpu-profile.ts';
import { renderFlameGraph } from './flame-graph.ts';
import { makeUnbundle } from './unbundle.ts';

/** Functions that are named with their share. */
const MOST_NAMED = 25;

/** Has Corral take a profile of itself during `work`, if one was asked for, and writes it and its flame graph. */
export async function profileDuring(
  bench: Bench,
  contestants: readonly Contestant[],
  work: (contestant: Contestant) => Promise<unknown>,
): Promise<void> {
  const corral = contestants.find(({ name }) => name === CORRAL);
  if (bench.profileFolder === undefined || corral?.probe === undefined) return;
  const folder = resolve(bench.profileFolder);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'edge.cpuprofile');
  await corral.probe.startProfile();
  await work(corral);
  await corral.probe.writeProfile(file);
  const tree = readProfile(JSON.parse(readFileSync(file, 'utf8')), makeUnbundle());
  writeFileSync(
    join(folder, 'edge.svg'),
    renderFlameGraph(tree, 'corral serve under chat completions, 32 connections'),
  );
  bench.print(`\nwhere Corral's time goes (${file}, edge.svg)\n\n`);
  for (const { name, share } of selfTimes(tree).slice(0, MOST_NAMED)) {
    bench.print(`${(share * 100).toFixed(1).padStart(5)} %  ${name}\n`);
  }
}
