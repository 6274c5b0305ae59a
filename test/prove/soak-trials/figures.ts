import Type from 'typebox';
import { Value } from 'typebox/value';
import type { CorralProcess } from '../operator-trials/operator-process.ts';

const FiguresSchema = Type.Object({
  msg: Type.Literal('figures'),
  objectBytes: Type.Integer(),
  codeBytes: Type.Integer(),
  rssBytes: Type.Integer(),
  files: Type.Integer(),
  listeners: Type.Integer(),
  resources: Type.Array(Type.String()),
});

/** What a process holds. */
export interface Figures {
  /** JavaScript objects that something refers to, and what is outside of the heap for them, in bytes. */
  readonly objectBytes: number;
  /** What V8 has compiled, which it does for hours. */
  readonly codeBytes: number;
  readonly rssBytes: number;
  /** Open files and connections. */
  readonly files: number;
  readonly timers: number;
  readonly sockets: number;
  /** Of events of the process itself. */
  readonly listeners: number;
}

/** Has a program say on its standard output what it holds when it gets SIGUSR2, after it has thrown away what nothing refers to. */
export const SAYS_FIGURES: readonly string[] = [
  '--expose-gc',
  '--import',
  `data:text/javascript,${encodeURIComponent(`
import { readdirSync } from 'node:fs';
import { getHeapSpaceStatistics } from 'node:v8';
const isOfCode = ({ space_name }) => /code|trusted/.test(space_name);
process.on('SIGUSR2', () => {
  gc();
  setImmediate(() => {
    gc();
    const { heapUsed, external, rss } = process.memoryUsage();
    const codeBytes = getHeapSpaceStatistics().filter(isOfCode).reduce((sum, one) => sum + one.space_used_size, 0);
    const figures = {
      msg: 'figures',
      objectBytes: heapUsed + external - codeBytes,
      codeBytes,
      rssBytes: rss,
      files: readdirSync('/proc/self/fd').length,
      listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
      resources: process.getActiveResourcesInfo(),
    };
    process.stdout.write(JSON.stringify(figures) + '\\n');
  });
});`)}`,
];

/** What a process that was started with `SAYS_FIGURES` holds now. */
export async function figuresOf(process: CorralProcess): Promise<Figures> {
  const { log } = process;
  const from = log.lines.length;
  process.kill('SIGUSR2');
  const { objectBytes, codeBytes, rssBytes, files, listeners, resources } = Value.Parse(
    FiguresSchema,
    await log.waitFor({ msg: 'figures' }, from),
  );
  const count = (part: string): number => resources.filter((name) => name.includes(part)).length;
  return { objectBytes, codeBytes, rssBytes, files, listeners, timers: count('Timeout'), sockets: count('Socket') };
}
