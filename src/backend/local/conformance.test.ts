import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { presetUid } from '../../domain/ids.ts';
import { minutes } from '../../domain/units.ts';
import { monotonicNow } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { describeBackend } from '../../testing/backend-conformance.ts';
import type { BackendUnderTest, PresetOptions } from '../../testing/backend-stage.ts';
import { aPreset } from '../../testing/worlds.ts';
import { LocalBackend } from './local-backend.ts';

const FAKE = fileURLToPath(new URL('../../testing/fake-llama-server.ts', import.meta.url));

/** The backend over real processes, which a script in place of llama-server runs as. */
async function make(t: TestContext): Promise<BackendUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-test-'));
  const program = join(folder, 'llama-server');
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${FAKE}' "$@"\n`, { mode: 0o755 });
  const pids = new Map<string, number>();
  const spawned = new EventEmitter();
  const running = (): string[] =>
    [...pids]
      .filter(([, pid]) => isAlive(pid))
      .map(([id]) => modelOf(id))
      .toSorted();
  const backend = new LocalBackend({ program, baseEnv: process.env, now: monotonicNow, log: pidLog(pids, spawned) });
  t.after(async () => {
    backend.killAll();
    await rm(folder, { recursive: true });
  });
  const released = (model: string): string => join(folder, `released-${model}`);
  const endsHeld = join(folder, 'ends-held');
  return {
    backend,
    preset: (name, { behaviour = 'ready', life = 1, variant = 1 }: PresetOptions = {}) =>
      aPreset(name, {
        uid: presetUid(`${name}-${life}`),
        rendered: `${name}-${variant}`,
        launch: {
          args: ['--model', `${name}.gguf`],
          env: new Map([
            ['FAKE', behaviour],
            ['FAKE_RELEASED', released(name)],
            ['FAKE_ENDS_HELD', endsHeld],
          ]),
          stopTimeout: minutes(10),
        },
      }),
    running,
    untilRunning: async (...models) => {
      while (running().join() !== models.join()) await once(spawned, 'change');
    },
    release: ({ id }) => {
      writeFileSync(released(modelOf(id)), '');
    },
    crash: ({ id }) => {
      const pid = pids.get(id);
      assert.ok(pid !== undefined);
      process.kill(pid, 'SIGKILL');
    },
    holdEnds: () => {
      writeFileSync(endsHeld, '');
      return () => {
        rmSync(endsHeld);
      };
    },
  };
}

/** The local backend's ids are the model's name, `#` and a number. */
const modelOf = (id: string): string => id.slice(0, id.lastIndexOf('#'));

/** The backend's log says which process is whose. */
function pidLog(pids: Map<string, number>, spawned: EventEmitter): Log {
  const note = (_message: string, fields: object = {}): void => {
    const { replica, pid } = Object.fromEntries(Object.entries(fields)) as { replica?: unknown; pid?: unknown };
    if (typeof replica === 'string' && typeof pid === 'number') pids.set(replica, pid);
    spawned.emit('change');
  };
  return { error: note, warn: note, info: note, debug: note };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describeBackend({ name: 'local', canBeDeaf: false, make });
