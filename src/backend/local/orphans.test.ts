import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { endProcesses, findOrphans } from './orphans.ts';
import { isRunning } from './process-table.ts';

const FAKE = fileURLToPath(new URL('../../testing/fake-llama-server.ts', import.meta.url));

/** A script that runs llama-server as its child, and whatever comes after that. */
const SCRIPT = `'${process.execPath}' '${FAKE}' "$@"; exit $?`;
/** A Corral that starts such a script, and waits for it. */
const CORRAL = `sh -c "$SCRIPT" script --host 127.0.0.1 --port 0 --api-prefix /corral-$$-${'0'.repeat(32)} & wait`;

interface Family {
  readonly corral: ChildProcess;
  readonly server: number;
}

async function startFamily(t: TestContext): Promise<Family> {
  const env = { ...process.env, SCRIPT, FAKE: 'deaf' };
  const corral = spawn('sh', ['-c', CORRAL], { detached: true, stdio: ['ignore', 'pipe', 'ignore'], env });
  t.after(() => {
    endGroup(corral);
  });
  const [line] = (await once(createInterface(corral.stdout), 'line')) as [string];
  return { corral, server: Number(line) };
}

function endGroup({ pid }: ChildProcess): void {
  assert.ok(pid !== undefined);
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

describe('a llama-server behind a script', () => {
  it('is no orphan while its Corral lives', async (t) => {
    const { server } = await startFamily(t);
    assert.ok(!(await findOrphans()).includes(server));
    assert.ok(await isRunning(server));
  });
  it('is one when its Corral was killed, and is ended', async (t) => {
    const { corral, server } = await startFamily(t);
    corral.kill('SIGKILL');
    await once(corral, 'exit');
    const orphans = await findOrphans();
    // Another Corral of this machine may have been quicker.
    assert.ok(orphans.includes(server) || !(await isRunning(server)));
    await endProcesses([server]);
    assert.ok(!(await isRunning(server)));
  });
});
