import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import Type from 'typebox';
import { Value } from 'typebox/value';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { MemoryReport } from './edge-program.ts';

const Report = Type.Object({ rss: Type.Number(), largestQueue: Type.Number(), queues: Type.Number() });

/** An edge in a process of its own. */
export interface EdgeProcess {
  readonly port: number;
  readonly memory: () => Promise<MemoryReport>;
}

/** Each port is that of a replica of a model of its own: `model-0`, `model-1`, and so on. */
export async function startEdgeProcess(t: Cleanup, replicaPorts: readonly number[]): Promise<EdgeProcess> {
  const child = fork(join(import.meta.dirname, 'edge-program.ts'), replicaPorts.map(String));
  t.after(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, 'exit');
  });
  const message = async (): Promise<unknown> => {
    const received: readonly unknown[] = await once(child, 'message');
    return received[0];
  };
  return {
    port: Value.Parse(Type.Number(), await message()),
    memory: async () => {
      child.send('memory');
      return Value.Parse(Report, await message());
    },
  };
}
