import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ProcessGroup } from './process-group.ts';

/** Leaves its group, and with it a child that ends and that it never buries. */
const NEGLECTS = 'echo $$; true & exec setsid tail -f /dev/null';

it('a group is empty when of its processes only dead ones are left, though nobody buries them', async (t) => {
  if (process.platform !== 'linux') {
    t.skip('there is no setsid');
    return;
  }
  const leader = spawn('sh', ['-c', 'sh -c "$NEGLECTS" & exit 0'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NEGLECTS },
  });
  assert.ok(leader.pid !== undefined);
  const exit = once(leader, 'exit');
  const [line] = (await once(createInterface(leader.stdout), 'line')) as [string];
  t.after(() => process.kill(Number(line), 'SIGKILL'));
  await exit;
  await new ProcessGroup(leader.pid).untilEmpty();
  assert.ok(process.kill(-leader.pid, 0), 'the dead one is not buried');
});

it(
  'a process that leaves the group while it is waited for, as one that becomes a daemon, is waited for no more',
  { timeout: 60_000 },
  async (t) => {
    if (process.platform !== 'linux') {
      t.skip('there is no setsid');
      return;
    }
    const leader = spawn('sh', ['-c', 'sh -c "$LEAVES" & exit 0'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
      env: { ...process.env, LEAVES: 'echo $$; read told <&3; exec setsid tail -f /dev/null' },
    });
    assert.ok(leader.pid !== undefined && leader.stdout !== null);
    const exit = once(leader, 'exit');
    const [line] = (await once(createInterface(leader.stdout), 'line')) as [string];
    t.after(() => process.kill(Number(line), 'SIGKILL'));
    await exit;
    const looks = t.mock.method(process, 'kill');
    const empty = new ProcessGroup(leader.pid).untilEmpty();
    while (looks.mock.callCount() < 2) await setImmediate();
    (leader.stdio[3] as Writable).end('go\n');
    await empty;
    assert.ok(process.kill(Number(line), 0), 'it still runs');
  },
);

it('a group that was found empty is signalled no more: its number may be taken again', async (t) => {
  const leader = spawn('true', { detached: true, stdio: 'ignore' });
  assert.ok(leader.pid !== undefined);
  await once(leader, 'exit');
  const group = new ProcessGroup(leader.pid);
  await group.untilEmpty();
  const kill = t.mock.method(process, 'kill', () => true);
  group.signal('SIGKILL');
  assert.equal(kill.mock.callCount(), 0);
});

it(
  'a group of which something outlives SIGKILL, as what hangs in the kernel does, is waited for no more',
  { timeout: 60_000 },
  async (t) => {
    const leader = spawn('sh', ['-c', 'tail -f /dev/null & echo $!'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    assert.ok(leader.pid !== undefined);
    const exit = once(leader, 'exit');
    const [line] = (await once(createInterface(leader.stdout), 'line')) as [string];
    const kill = process.kill.bind(process);
    t.after(() => kill(Number(line), 'SIGKILL'));
    await exit;
    t.mock.method(
      process,
      'kill',
      (pid: number, signal: NodeJS.Signals | 0) => signal === 'SIGKILL' || kill(pid, signal),
    );
    const group = new ProcessGroup(leader.pid);
    group.signal('SIGKILL');
    await group.untilEmpty();
    assert.ok(kill(Number(line), 0), 'it still runs');
  },
);
