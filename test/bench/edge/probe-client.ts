import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { Cleanup } from '../../support/temp-folder.ts';

/** How one looks into a contestant that runs on Node; see probe.ts. */
export interface Probe {
  /** Begins to look how long its event loop stands still. */
  watch(): Promise<void>;
  /** The longest stand-still since `watch`, in milliseconds. */
  stall(): Promise<number>;
  startProfile(): Promise<void>;
  /** Ends it and has it written to a file. */
  writeProfile(path: string): Promise<void>;
}

/** Connects to a contestant's probe at a socket's path. */
export async function connectProbe(t: Cleanup, path: string): Promise<Probe> {
  const socket = connect(path);
  await once(socket, 'connect');
  const lines = createInterface({ input: socket });
  t.after(async () => {
    socket.destroy();
    return Promise.resolve();
  });
  const order = async (line: string): Promise<number> => {
    const answered = once(lines, 'line');
    socket.write(`${line}\n`);
    return Number((await answered)[0]);
  };
  return {
    watch: async () => {
      await order('watch');
    },
    stall: async () => order('stall'),
    startProfile: async () => {
      await order('profile');
    },
    writeProfile: async (file) => {
      await order(`write ${file}`);
    },
  };
}
