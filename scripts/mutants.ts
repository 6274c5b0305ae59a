import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { ALL_TESTS, HuntingGround, type Verdict } from '../test/mutants/hunt.ts';
import type { PlantedFault } from '../test/mutants/planted-fault.ts';
import { PLANTED_FAULTS } from '../test/mutants/planted-faults.ts';
import { runCommand } from './run-named.ts';
import { UsageError } from './test-parts.ts';
import { LARGEST_SEED, parseWholeNumber } from './whole-number.ts';

const USAGE = `usage: npm run mutants [-- [PATTERN] [--seed S] [--tests GLOB] [--list]]

Plants faults in a copy of the planner, the ledger and the drain's rules, one at a time, and runs their tests on each: all must be killed.
PATTERN, a regular expression on the names of the faults, chooses some; --tests, once or more, the files of the tests.
`;
const root = join(import.meta.dirname, '..');
const print = (text: string): void => {
  process.stdout.write(text);
};

/** The exit code: 1 if a fault survives, or the tests fail without any. Throws UsageError for wrong use. */
async function main(): Promise<number> {
  const options = {
    seed: { type: 'string', default: '1' },
    list: { type: 'boolean' },
    tests: { type: 'string', multiple: true },
    help: { type: 'boolean' },
  } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const seed = parseWholeNumber('--seed', values.seed, 0, LARGEST_SEED);
  const faults = choose(positionals);
  if (values.help === true) print(USAGE);
  else if (values.list === true) for (const { name } of faults) print(`${name}\n`);
  else
    return hunt(faults, async (work) => inGround(new HuntingGround(root, seed, values.tests ?? ALL_TESTS), work), seed);
  return 0;
}

function choose(patterns: readonly string[]): readonly PlantedFault[] {
  const [pattern, ...more] = patterns;
  if (pattern === undefined) return PLANTED_FAULTS;
  if (more.length > 0) throw new UsageError(`one pattern at a time, not '${patterns.join(' ')}'`);
  const faults = PLANTED_FAULTS.filter(({ name }) => new RegExp(pattern, 'u').test(name));
  if (faults.length === 0) throw new UsageError(`'${pattern}' matches the name of no planted fault; --list shows them`);
  return faults;
}

type InGround = <T>(work: (ground: HuntingGround) => Promise<T>) => Promise<T>;

async function hunt(faults: readonly PlantedFault[], inOne: InGround, seed: number): Promise<number> {
  const healthy = await inOne(async (ground) => ground.try(undefined));
  if (healthy.killedBy !== undefined) {
    print(`without a fault, this fails already: ${healthy.killedBy.test} (${healthy.killedBy.file})\n`);
    return 1;
  }
  const survivors: PlantedFault[] = [];
  const queue = [...faults];
  const work = async (ground: HuntingGround): Promise<void> => {
    for (let fault = queue.shift(); fault !== undefined; fault = queue.shift()) {
      const verdict = await ground.try(fault);
      if (verdict.killedBy === undefined) survivors.push(fault);
      print(lineOf(fault, verdict));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, async () => inOne(work)));
  print(`${faults.length - survivors.length} of ${faults.length} planted faults killed, seed ${seed}\n`);
  for (const { name, file } of survivors) print(`survived: ${name} (${file})\n`);
  return survivors.length === 0 ? 0 : 1;
}

async function inGround<T>(ground: HuntingGround, work: (ground: HuntingGround) => Promise<T>): Promise<T> {
  try {
    return await work(ground);
  } finally {
    ground.remove();
  }
}

function lineOf({ name }: PlantedFault, { killedBy, ms }: Verdict): string {
  const seconds = `${(ms / 1000).toFixed(1)} s`.padStart(7);
  return killedBy === undefined
    ? `SURVIVED ${seconds}  ${name}\n`
    : `killed   ${seconds}  ${name}\n                    by: ${killedBy.test} (${killedBy.file})\n`;
}

await runCommand('npm run mutants', main);
