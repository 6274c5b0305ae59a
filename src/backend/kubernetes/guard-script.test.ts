import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { guardScript } from './guard-script.ts';

/** What curl does when it is called once: what it prints, and how it exits. */
type Answer = readonly [output: string, exit: number];

const BUSY: Answer = ['[{"id":0,"is_processing":false},{"id":1,"is_processing":true}]', 0];
const QUIET: Answer = ['[{"id":0,"is_processing":false}]', 0];
const LATE: Answer = ['', 28];
const REFUSED: Answer = ['', 7];
const LOADING: Answer = ['{"error":{"code":503}}', 0];

/** Runs the guard with a curl that answers in this order, then as at last, and a sleep that takes no time. */
async function run(t: TestContext, answers: readonly Answer[], podIp = '10.0.0.9'): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'corral-guard-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const cases = answers.map(
    ([output, exit], index) => `${index === answers.length - 1 ? '*' : index + 1}) echo '${output}'; exit ${exit} ;;`,
  );
  const calls = join(folder, 'calls');
  writeFileSync(calls, '');
  const curl = `#!/bin/sh\nfor last; do :; done\necho "$last" >> '${calls}'\ncase $(wc -l < '${calls}') in\n${cases.join('\n')}\nesac\n`;
  writeFileSync(join(folder, 'curl'), curl);
  writeFileSync(join(folder, 'sleep'), '#!/bin/sh\n');
  for (const name of ['curl', 'sleep']) chmodSync(join(folder, name), 0o755);
  const env = { PATH: `${folder}:/usr/bin:/bin`, POD_IP: podIp };
  await promisify(execFile)('sh', ['-c', guardScript('/corral-1')], { env });
  return readFileSync(calls, 'utf8').trim().split('\n');
}

it('the guard waits until no slot was busy five times in a row', async (t) => {
  assert.equal((await run(t, [BUSY, QUIET, QUIET, BUSY, QUIET])).length, 4 + 5);
});
it('the guard takes an answer that is late for a busy slot, and no server or one that loads for none', async (t) => {
  assert.equal((await run(t, [LATE, LATE, REFUSED, LOADING, QUIET])).length, 2 + 5);
});
it('the guard asks the pod itself, behind its prefix', async (t) => {
  assert.equal((await run(t, [QUIET]))[0], 'http://10.0.0.9:8080/corral-1/slots');
  assert.equal((await run(t, [QUIET], 'fd00::9'))[0], 'http://[fd00::9]:8080/corral-1/slots');
});
