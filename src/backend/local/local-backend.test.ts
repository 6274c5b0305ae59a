import { WHOLE_POOL } from '../../domain/pool.ts';
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { replicaId } from '../../domain/ids.ts';
import type { Preset } from '../../domain/preset.ts';
import type { Replica, ReplicaState } from '../../domain/replica.ts';
import { milliseconds } from '../../domain/units.ts';
import { monotonicNow } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { aPreset, scaled } from '../../testing/worlds.ts';
import { LocalBackend } from './local-backend.ts';
import { isRunning, untilGone } from './process-table.ts';
import { findOrphans } from './orphans.ts';
import { Watch } from '../../testing/watch.ts';

const FAKE = fileURLToPath(new URL('../../testing/fake-llama-server.ts', import.meta.url));

let folder: string;
let program: string;
/** Runs llama-server as a child of its own. */
let script: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'corral-test-'));
  program = join(folder, 'llama-server');
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${FAKE}' "$@"\n`, { mode: 0o755 });
  script = join(folder, 'script');
  await writeFile(script, `#!/bin/sh\nexport X=1\n'${process.execPath}' '${FAKE}' "$@"\nexit $?\n`, { mode: 0o755 });
});
after(async () => {
  await rm(folder, { recursive: true });
});

type Mode = 'ready' | 'loading' | 'exit' | 'deaf' | 'distracted';

/** A preset whose llama-server behaves as `mode` says. */
const behaving = (mode: Mode, stopTimeout = 5_000): Preset => ({
  ...aPreset('a'),
  launch: { args: ['--model', 'a.gguf'], env: new Map([['FAKE', mode]]), stopTimeout: milliseconds(stopTimeout) },
});

interface Running {
  readonly backend: LocalBackend;
  /** The pids of all processes that were started. */
  readonly pids: number[];
  /** Resolves with the first replica in that state. */
  readonly until: (kind: ReplicaState['kind']) => Promise<Replica>;
  readonly untilGone: () => Promise<void>;
}

function running(t: TestContext, path = program, baseEnv = process.env): Running {
  const pids: number[] = [];
  const log: Log = {
    info: (_message, fields) => {
      if (fields !== undefined && 'pid' in fields && typeof fields.pid === 'number') pids.push(fields.pid);
    },
    warn: () => undefined,
    error: () => undefined,
    debug: () => undefined,
  };
  const backend = new LocalBackend({ program: path, baseEnv, now: monotonicNow, log });
  t.after(() => {
    backend.killAll();
  });
  const watch = new Watch(() => JSON.stringify(backend.observe()));
  backend.onChange(() => {
    watch.look();
  });
  return {
    backend,
    pids,
    until: async (kind) => watch.find(() => backend.observe().find(({ state }) => state.kind === kind)),
    untilGone: async () => {
      await watch.until(() => backend.observe().length === 0);
    },
  };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('an order', () => {
  it('to start shows at once, and ends in a ready replica that answers behind its own prefix', async (t) => {
    const { backend, until } = running(t);
    backend.apply({ kind: 'start', preset: behaving('ready'), bin: WHOLE_POOL });
    assert.deepEqual(
      backend.observe().map(({ state }) => state.kind),
      ['starting'],
    );
    const { state } = await until('ready');
    assert.ok(state.kind === 'ready');
    const { origin, prefix } = state.endpoint;
    assert.equal((await fetch(`${origin}${prefix}/health`)).status, 200);
    assert.equal((await fetch(`${origin}/health`)).status, 503);
    assert.match(prefix, /^\/corral-\d+-[0-9a-f]{32}$/u);
  });
  it('to drain and to stop shows at once, and the replica is gone when its process is', async (t) => {
    const { backend, until, untilGone, pids } = running(t);
    backend.apply({ kind: 'start', preset: behaving('ready'), bin: WHOLE_POOL });
    const { id } = await until('ready');
    backend.apply({ kind: 'drain', replica: id, cause: { kind: 'idle' } });
    assert.equal(backend.observe()[0]?.state.kind, 'draining');
    backend.apply({ kind: 'stop', replica: id });
    assert.equal(backend.observe()[0]?.state.kind, 'stopping');
    await untilGone();
    assert.ok(pids.length > 0 && pids.every((pid) => !isAlive(pid)));
  });
  it('to stop what does not drain changes nothing', async (t) => {
    const { backend, until } = running(t);
    backend.apply({ kind: 'start', preset: behaving('ready'), bin: WHOLE_POOL });
    const { id } = await until('ready');
    backend.apply({ kind: 'stop', replica: id });
    assert.equal(backend.observe()[0]?.state.kind, 'ready');
  });
  it('for a replica that does not exist changes nothing', (t) => {
    const { backend } = running(t);
    const replica = replicaId('nobody#1');
    backend.apply({ kind: 'drain', replica, cause: { kind: 'idle' } });
    backend.apply({ kind: 'stop', replica });
    backend.forget(replica);
    assert.deepEqual(backend.observe(), []);
  });
  it('to stop before the process exists starts none', async (t) => {
    const { backend, untilGone, pids } = running(t);
    backend.apply({ kind: 'start', preset: behaving('ready'), bin: WHOLE_POOL });
    const [replica] = backend.observe();
    assert.ok(replica !== undefined);
    backend.apply({ kind: 'drain', replica: replica.id, cause: { kind: 'removed' } });
    backend.apply({ kind: 'stop', replica: replica.id });
    await untilGone();
    assert.deepEqual(pids, []);
  });
  it('to stop ends a process that is deaf to SIGTERM, after its stop timeout', async (t) => {
    const { backend, until, untilGone, pids } = running(t);
    backend.apply({ kind: 'start', preset: behaving('deaf', 50), bin: WHOLE_POOL });
    const { id } = await until('ready');
    backend.apply({ kind: 'drain', replica: id, cause: { kind: 'idle' } });
    backend.apply({ kind: 'stop', replica: id });
    await untilGone();
    assert.ok(pids.every((pid) => !isAlive(pid)));
  });
  it('to stop is repeated for a process that has missed it, long before its stop timeout', async (t) => {
    const { backend, until, untilGone } = running(t);
    backend.apply({ kind: 'start', preset: behaving('distracted', 600_000), bin: WHOLE_POOL });
    const { id } = await until('ready');
    backend.apply({ kind: 'drain', replica: id, cause: { kind: 'idle' } });
    backend.apply({ kind: 'stop', replica: id });
    await untilGone();
  });
});

describe('a replica', () => {
  const failureOf = (replica: Replica): (Replica['state'] & { kind: 'failed' })['failure'] => {
    assert.ok(replica.state.kind === 'failed');
    return replica.state.failure;
  };
  it('whose process exits has failed, with its exit code and last words', async (t) => {
    const { backend, until } = running(t);
    backend.apply({ kind: 'start', preset: behaving('exit'), bin: WHOLE_POOL });
    const replica = await until('failed');
    const { reason, exitCode, logTail, readyFor } = failureOf(replica);
    assert.match(reason, /exited with code 3 while it loaded the model/u);
    assert.equal(exitCode, 3);
    assert.deepEqual(logTail, ['line 1', 'the model is broken']);
    assert.equal(readyFor, undefined);
    backend.forget(replica.id);
    assert.deepEqual(backend.observe(), []);
  });
  it('that is not ready within its load timeout has failed, and its process is ended', async (t) => {
    const { backend, until, pids } = running(t);
    backend.apply({
      kind: 'start',
      preset: scaled(behaving('loading'), { loadTimeout: milliseconds(400) }),
      bin: WHOLE_POOL,
    });
    assert.match(failureOf(await until('failed')).reason, /load timeout of 0.4 s/u);
    assert.ok(pids.length > 0 && pids.every((pid) => !isAlive(pid)));
  });
  it('that is killed while it serves has failed as a crash, not as a load', async (t) => {
    const { backend, until, pids } = running(t);
    backend.apply({ kind: 'start', preset: behaving('ready'), bin: WHOLE_POOL });
    await until('ready');
    for (const pid of new Set(pids)) process.kill(pid, 'SIGKILL');
    const { reason, readyFor } = failureOf(await until('failed'));
    assert.match(reason, /was ended by SIGKILL while it served/u);
    assert.ok(readyFor !== undefined);
  });
  it('cannot be forgotten while it lives', async (t) => {
    const { backend, until } = running(t);
    backend.apply({ kind: 'start', preset: behaving('ready'), bin: WHOLE_POOL });
    const { id } = await until('ready');
    backend.forget(id);
    assert.equal(backend.observe().length, 1);
  });
});

describe('a llama-server of another version', () => {
  it('gets the variables of options that Corral does not know, from its environment and from those of the preset', async (t) => {
    const [wrapper, heard] = [join(folder, 'newer'), join(folder, 'heard')];
    await writeFile(wrapper, `#!/bin/sh\nenv >'${heard}'\nexec '${program}' "$@"\n`, { mode: 0o755 });
    const { launch, ...preset } = behaving('ready');
    const env = new Map([...launch.env, ['LLAMA_ARG_NEW_HERE', 'a']]);
    const { backend, until } = running(t, wrapper, { ...process.env, LLAMA_ARG_NEW_EVERYWHERE: 'b' });
    backend.apply({ kind: 'start', preset: { ...preset, launch: { ...launch, env } }, bin: WHOLE_POOL });
    await until('ready');
    const lines = (await readFile(heard, 'utf8')).split('\n').filter((line) => line.startsWith('LLAMA_ARG_NEW_'));
    assert.deepEqual(lines.sort(), ['LLAMA_ARG_NEW_EVERYWHERE=b', 'LLAMA_ARG_NEW_HERE=a']);
  });
});

describe('a llama-server that cannot be started', () => {
  for (const [what, path, args] of [
    ['does not exist', '/nowhere/llama-server', []],
    ['is given an argument that no process can have', undefined, ['--chat-template', 'a\0b']],
  ] as const) {
    it(`because it ${what} is a failed replica, not an exception`, async (t) => {
      const { backend, until } = running(t, path);
      const preset = behaving('ready');
      backend.apply({ kind: 'start', bin: WHOLE_POOL, preset: { ...preset, launch: { ...preset.launch, args } } });
      const { state } = await until('failed');
      assert.ok(state.kind === 'failed');
      assert.match(state.failure.reason, /could not be started/u);
    });
  }
});

describe('a script that runs llama-server as its child', () => {
  interface Behind extends Running {
    readonly id: Replica['id'];
    /** The process id of llama-server, and of the script. */
    readonly server: number;
    readonly shell: number;
  }
  /** A ready replica. */
  async function behindScript(t: TestContext, preset: Preset): Promise<Behind> {
    const parts = running(t, script);
    parts.backend.apply({ kind: 'start', preset, bin: WHOLE_POOL });
    const { id, state } = await parts.until('ready');
    assert.ok(state.kind === 'ready');
    const server = Number(await (await fetch(`${state.endpoint.origin}/`)).text());
    const [shell] = parts.pids;
    assert.ok(shell !== undefined && shell !== server);
    return { ...parts, id, server, shell };
  }
  const stop = ({ backend, id }: Behind): void => {
    backend.apply({ kind: 'drain', replica: id, cause: { kind: 'idle' } });
    backend.apply({ kind: 'stop', replica: id });
  };
  /** Until it has ended and this process has been told so. */
  const untilBuried = async (pid: number): Promise<void> => {
    while (isAlive(pid)) await nextTurn();
  };

  it('is stopped with it, and the replica is gone only when both are', async (t) => {
    const held = join(folder, 'ends-held');
    const { launch, ...preset } = behaving('ready', 600_000);
    const env = new Map([...launch.env, ['FAKE_ENDS_HELD', held]]);
    const behind = await behindScript(t, { ...preset, launch: { ...launch, env } });
    writeFileSync(held, '');
    stop(behind);
    await untilBuried(behind.shell);
    assert.equal(behind.backend.observe()[0]?.state.kind, 'stopping');
    assert.ok(await isRunning(behind.server));
    rmSync(held);
    await behind.untilGone();
    assert.ok(!(await isRunning(behind.server)));
  });
  it('does not save a llama-server that is deaf to SIGTERM from its end, after its stop timeout', async (t) => {
    const behind = await behindScript(t, behaving('deaf', 50));
    stop(behind);
    await behind.untilGone();
    assert.ok(!(await isRunning(behind.server)));
  });
  it('takes it along when it is killed, before the replica has failed', async (t) => {
    const behind = await behindScript(t, behaving('deaf', 600_000));
    process.kill(behind.shell, 'SIGKILL');
    const { state } = await behind.until('failed');
    assert.ok(state.kind === 'failed');
    assert.match(state.failure.reason, /was ended by SIGKILL while it served/u);
    assert.ok(!(await isRunning(behind.server)));
  });
  it('is killed with it when Corral dies', async (t) => {
    const { backend, server, shell } = await behindScript(t, behaving('deaf', 600_000));
    const kill = t.mock.method(process, 'kill');
    backend.killAll();
    // At once: a Corral that dies gets no turn in which it could see the script end.
    assert.deepEqual(kill.mock.calls[0]?.arguments, [-shell, 'SIGKILL']);
    await untilGone(server);
    assert.ok(!(await isRunning(server)));
  });
  it('makes no orphan of it for another Corral', async (t) => {
    const { server, shell } = await behindScript(t, behaving('ready'));
    const orphans = await findOrphans();
    assert.ok(!orphans.includes(server) && !orphans.includes(shell));
  });
});
