import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { untilTrue } from './run-server.ts';

/** One llama-server that was started to serve. */
export interface Start {
  readonly pid: number;
  /** Those started before it that still existed when it was started. */
  readonly besides: readonly number[];
  readonly args: string;
}

/** A llama-server that writes down its own starts: proof of what was started, and when, that is not Corral's own word. */
export interface Recorder {
  /** The program to run in llama-server's place. */
  readonly program: string;
  /** In their order, without the looks at `--version`. */
  starts(): readonly Start[];
}

/** `exec` keeps the process id, so that signals and exits are llama-server's own. */
const script = (llamaServer: string, book: string): string => `#!/bin/sh
if [ "$1" = --version ]; then exec '${llamaServer}' --version; fi
besides=
if [ -e '${book}' ]; then
  while read -r pid rest; do
    if kill -0 "$pid" 2>/dev/null; then besides="$besides,$pid"; fi
  done <'${book}'
fi
echo "$$ ,$besides $*" >>'${book}'
exec '${llamaServer}' "$@"
`;

/** Makes one in `folder`. */
export async function makeRecorder(folder: string, llamaServer: string): Promise<Recorder> {
  const program = join(folder, 'llama-server');
  const book = join(folder, 'starts');
  await writeFile(program, script(llamaServer, book), { mode: 0o755 });
  return { program, starts: () => (existsSync(book) ? readStarts(readFileSync(book, 'utf8')) : []) };
}

const readStarts = (text: string): Start[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [pid, besides = '', ...args] = line.split(' ');
      const others = besides.split(',').filter((part) => part !== '');
      return { pid: Number(pid), besides: others.map(Number), args: args.join(' ') };
    });

/** Whether a process runs. One that is dead and that its parent, maybe a slow init, has not buried yet does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/^State:\s+[ZX]/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Resolves when a process that was killed is dead: a kill returns before. */
export async function untilDead(pid: number): Promise<void> {
  await untilTrue(`the process ${pid} is dead`, async () => Promise.resolve(!isAlive(pid)), 5);
}
