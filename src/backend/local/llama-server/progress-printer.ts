import { assertNever } from '../../../domain/assert-never.ts';
import type { LlamaServerProgress } from './llama-server.ts';

/** Where progress is written: stderr, in all but tests. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface ProgressPrinter {
  readonly report: (progress: LlamaServerProgress) => void;
  /** Ends a bar that is still open, so that what follows begins on a line of its own. */
  readonly finish: () => void;
}

const BAR_WIDTH = 30;

/** Shows progress to a person: on a terminal a bar that is drawn over itself, elsewhere a line for every 10 %. */
export function createProgressPrinter(output: ProgressOutput): ProgressPrinter {
  const onTerminal = output.isTTY === true;
  let shown = -1;
  let barOpen = false;
  const finish = (): void => {
    if (barOpen) output.write('\n');
    barOpen = false;
  };
  const line = (text: string): void => {
    finish();
    shown = -1;
    output.write(`${text}\n`);
  };
  const percent = (value: number): void => {
    const step = onTerminal ? value : value - (value % 10);
    // Compilers that run side by side report out of order; a bar does not go backwards.
    if (step <= shown) return;
    shown = step;
    barOpen = onTerminal;
    output.write(onTerminal ? `\r${bar(step)}` : `${step} %\n`);
  };
  const report = (progress: LlamaServerProgress): void => {
    if (progress.kind === 'percent') percent(progress.percent);
    else line(describe(progress));
  };
  return { report, finish };
}

function bar(percent: number): string {
  const done = Math.round((BAR_WIDTH * percent) / 100);
  return `[${'#'.repeat(done)}${' '.repeat(BAR_WIDTH - done)}] ${percent} %`;
}

function describe(progress: Exclude<LlamaServerProgress, { kind: 'percent' }>): string {
  switch (progress.kind) {
    case 'unusable':
      return `not used (${progress.how}): ${progress.reason}`;
    case 'waiting':
      return progress.reason;
    case 'step':
      return progress.text;
    default:
      return assertNever(progress);
  }
}
