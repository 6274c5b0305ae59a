import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MODEL_POOLS } from '../api/cluster/resources.ts';
import { seconds } from '../domain/units.ts';
import { ApiError } from '../kube/kube-api.ts';
import { WriteLanes } from '../kube/write-lanes.ts';
import type { Log } from '../platform/log.ts';
import { keptLog } from '../testing/kube-testbed.ts';
import { EagerTimers } from '../testing/manual-timers.ts';
import { StatusWriter, type StatusWriterParts } from './status-writer.ts';

interface Bed {
  readonly writer: StatusWriter;
  readonly sent: unknown[];
  /** The versions that they follow on. */
  readonly versions: (string | undefined)[];
  readonly answer: (error?: Error) => Promise<void>;
}

/** A writer whose PATCHes wait for their answers: what was sent, and the answer to the oldest that waits. */
function startWriter(versionOf: () => string | undefined = () => '1', log: Log = keptLog()): Bed {
  const [sent, versions]: [unknown[], (string | undefined)[]] = [[], []];
  const waiting: PromiseWithResolvers<undefined>[] = [];
  const replaceStatus: StatusWriterParts['api']['replaceStatus'] = async (_resource, _ref, change) => {
    const { status, resourceVersion } = change;
    sent.push(status);
    versions.push(resourceVersion);
    const answered = Promise.withResolvers<undefined>();
    waiting.push(answered);
    await answered.promise;
    return { metadata: { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: '' } };
  };
  const lanes = new WriteLanes({ log, timers: new EagerTimers(seconds(60)) });
  const writer = new StatusWriter({
    ...{ api: { replaceStatus }, lanes, versionOf },
    ...{ onWritten: () => undefined, onSettled: () => undefined },
  });
  const answer = async (error?: Error): Promise<void> => {
    const next = waiting.shift();
    if (error === undefined) next?.resolve(undefined);
    else next?.reject(error);
    // The lane goes on in microtasks, and in one turn of the event loop after a pause.
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
  };
  return { writer, sent, versions, answer };
}

const wish = (status: object): Parameters<StatusWriter['write']>[0] => ({
  resource: MODEL_POOLS,
  ref: { namespace: undefined, name: 'p' },
  uid: 'u',
  status,
});

test('of the statuses that come while one is on its way, only the last is written', async () => {
  const { writer, sent, answer } = startWriter();
  for (const loaded of [1, 2, 0]) writer.write(wish({ loaded }));
  assert.deepEqual(sent, [{ loaded: 1 }]);
  await answer();
  assert.deepEqual(sent, [{ loaded: 1 }, { loaded: 0 }]);
  assert.equal(writer.isPending('u'), true);
  await answer();
  assert.equal(sent.length, 2);
  assert.equal(writer.isPending('u'), false);
});

test('a status that is refused is not tried again, and the next one is written', async () => {
  const { writer, sent, answer } = startWriter();
  writer.write(wish({ loaded: 1 }));
  await answer(new ApiError({ status: 404, reason: 'NotFound', message: 'it is gone' }));
  assert.deepEqual([sent.length, writer.isPending('u')], [1, false]);
  writer.write(wish({ loaded: 1 }));
  assert.equal(sent.length, 2);
  await answer(new ApiError({ status: 500, reason: 'InternalError', message: 'try again' }));
  assert.equal(sent.length, 3);
});

test('a status follows on what is known of its object, and after a conflict it is written whatever others do', async () => {
  const { writer, sent, versions, answer } = startWriter(() => '7');
  writer.write(wish({ loaded: 1 }));
  await answer(new ApiError({ status: 409, reason: 'Conflict', message: 'it has changed' }));
  assert.deepEqual(
    [sent, versions],
    [
      [{ loaded: 1 }, { loaded: 1 }],
      ['7', undefined],
    ],
  );
  await answer();
  assert.equal(writer.isPending('u'), false);
});

test('a status that meets with a conflict also where it follows on nothing is tried again until it is written', async () => {
  const conflict = new ApiError({ status: 409, reason: 'Conflict', message: 'it has changed' });
  const { writer, versions, answer } = startWriter(() => '7');
  writer.write(wish({ loaded: 1 }));
  for (let tries = 1; tries <= 4; tries += 1) await answer(conflict);
  assert.deepEqual(versions, ['7', undefined, '7', undefined, '7']);
  await answer();
  assert.deepEqual([versions.length, writer.isPending('u')], [5, false]);
});

test('of an object that is gone nothing is told, and nobody is warned of that', async () => {
  const log = keptLog();
  const known: (string | undefined)[] = ['7', undefined];
  const { writer, versions, answer } = startWriter(() => known.shift(), log);
  writer.write(wish({ loaded: 1 }));
  await answer(new ApiError({ status: 404, reason: 'NotFound', message: 'it is gone' }));
  writer.write(wish({ loaded: 2 }));
  await answer();
  assert.deepEqual([versions, writer.isPending('u'), log.lines], [['7'], false, []]);
  known.push('8');
  writer.write(wish({ loaded: 3 }));
  await answer(new ApiError({ status: 404, reason: '', message: 'there is no such kind' }));
  assert.deepEqual([writer.isPending('u'), log.lines.length], [false, 1]);
});

test('a status is dropped where another object has its name', async () => {
  const { writer, sent, answer } = startWriter();
  writer.write(wish({ loaded: 1 }));
  await answer(new ApiError({ status: 409, reason: 'Conflict', message: 'it has changed' }));
  await answer(new ApiError({ status: 422, reason: 'Invalid', message: 'another uid' }));
  assert.deepEqual([sent.length, writer.isPending('u')], [2, false]);
});
