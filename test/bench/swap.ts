import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderTinyGguf } from '../../src/api/tiny-gguf.ts';
import { withCleanup } from '../support/cleanup-stack.ts';
import { describeMachine } from '../support/figures.ts';
import { tempFolder, type Cleanup } from '../support/temp-folder.ts';
import { bareContestant } from './bare.ts';
import type { Arena, Contestant, Round } from './contestant.ts';
import { corralContestant, findLlamaSwap, llamaSwapContestant, routerContestant } from './fronts.ts';
import { renderSwapReport } from './swap-report.ts';

const WARM_UPS = 3;

/** Everybody's turns in one run, side by side, so that what disturbs the machine disturbs all alike. */
export async function benchSwap(llamaServer: string, rounds: number, print: (text: string) => void): Promise<void> {
  print(`${describeMachine()}\n`);
  await withCleanup(async (t) => {
    const folder = await tempFolder(t);
    for (const [seed, name] of ['a', 'b'].entries()) {
      await writeFile(join(folder, `${name}.gguf`), renderTinyGguf({ seed }));
    }
    const contestants = await gather(t, { llamaServer, folder }, print);
    await play(contestants, WARM_UPS);
    const played = await play(contestants, rounds);
    print(`${rounds} rounds each, after ${WARM_UPS} to warm up\n\n`);
    print(
      renderSwapReport(
        contestants.map((contestant, index) => ({
          name: contestant.name,
          rounds: played.map((turn) => turn.slice(index, index + 1)).flat(),
        })),
      ),
    );
  });
}

async function gather(t: Cleanup, arena: Arena, print: (text: string) => void): Promise<Contestant[]> {
  const contestants = [bareContestant(arena), await corralContestant(t, arena), await routerContestant(t, arena)];
  const llamaSwap = findLlamaSwap(process.env);
  if (llamaSwap !== undefined) return [...contestants, await llamaSwapContestant(t, llamaSwap, arena)];
  print('llama-swap is not installed, so it is left out; name it by LLAMA_SWAP or put it on PATH\n');
  return contestants;
}

/** For each round what each contestant's took, in the order of the contestants. */
async function play(contestants: readonly Contestant[], rounds: number): Promise<Round[][]> {
  const played: Round[][] = [];
  for (let round = 0; round < rounds; round += 1) {
    const turn: Round[] = [];
    for (const contestant of contestants) turn.push(await roundOf(contestant));
    played.push(turn);
  }
  return played;
}

async function roundOf(contestant: Contestant): Promise<Round> {
  try {
    return await contestant.round();
  } catch (cause) {
    throw new Error(`${contestant.name} failed in a round`, { cause });
  }
}
