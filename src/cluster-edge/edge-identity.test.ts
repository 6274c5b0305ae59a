import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readIdentity } from './edge-identity.ts';

const ENV = { POD_NAME: 'edge-1', POD_NAMESPACE: 'corral-system', POD_UID: 'u' };

test('an edge is the pod that its environment names', () => {
  const identity = { podName: 'edge-1', namespace: 'corral-system', podUid: 'u' };
  assert.deepEqual(readIdentity(ENV), { ok: true, identity });
});

for (const missing of Object.keys(ENV)) {
  test(`without ${missing} it says which variable is missing, and how it is set`, () => {
    for (const value of [undefined, '']) {
      const found = readIdentity({ ...ENV, [missing]: value });
      assert.ok(!found.ok);
      assert.match(found.problem, new RegExp(`^${missing}: not set\\..*fieldRef`, 'u'));
    }
  });
}
