import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant, milliseconds } from '../domain/units.ts';
import { EndOfTurn } from './end-of-turn.ts';
import { DEFAULT_EDGE_LIMITS } from './limits.ts';
import { SilenceWatch } from './silence-watch.ts';
import { MAX_CONNECTIONS, Upstream, type Sender } from './upstream.ts';

const now = (): ReturnType<typeof instant> => instant(0);
const watch = new SilenceWatch(now, milliseconds(1000));
const parts = { limits: DEFAULT_EDGE_LIMITS, now, watch, endOfTurn: new EndOfTurn() };
const freeUpstream = (): Upstream => new Upstream({ origin: 'http://127.0.0.1:1', prefix: '' }, parts);

/** An upstream all of whose connections are in use, and who uses them. */
function fullUpstream(): { readonly upstream: Upstream; readonly users: readonly Sender[] } {
  const upstream = freeUpstream();
  const users = Array.from({ length: MAX_CONNECTIONS }, (): Sender => ({ standing: 'outside', send: () => undefined }));
  for (const user of users) upstream.enter(user);
  return { upstream, users };
}

const named = (name: string, seen: string[]): Sender => ({ standing: 'outside', send: () => seen.push(name) });

const turn = async (): Promise<void> => Promise.resolve();

test('while there are connections, each request is sent at once', () => {
  const seen: string[] = [];
  const upstream = freeUpstream();
  for (let n = 0; n < MAX_CONNECTIONS; n += 1) upstream.enter(named(String(n), seen));
  assert.equal(seen.length, MAX_CONNECTIONS);
});

test('those beyond wait, and are sent in the order in which they came', async () => {
  const { upstream, users } = fullUpstream();
  const seen: string[] = [];
  for (const name of ['a', 'b', 'c']) upstream.enter(named(name, seen));
  assert.deepEqual(seen, []);
  for (const user of users.slice(0, 2)) upstream.leave(user);
  await turn();
  assert.deepEqual(seen, ['a', 'b']);
});

test('one that gives up while it waits is never sent, and takes no turn', async () => {
  const { upstream, users } = fullUpstream();
  const seen: string[] = [];
  const [gone, next] = [named('gone', seen), named('next', seen)];
  upstream.enter(gone);
  upstream.enter(next);
  upstream.leave(gone);
  for (const user of users.slice(0, 1)) upstream.leave(user);
  await turn();
  assert.deepEqual(seen, ['next']);
});

test('one that gives up in the moment of its turn is not sent, and the next one is', async () => {
  const { upstream, users } = fullUpstream();
  const seen: string[] = [];
  const [gone, next] = [named('gone', seen), named('next', seen)];
  upstream.enter(gone);
  upstream.enter(next);
  for (const user of users.slice(0, 1)) upstream.leave(user);
  upstream.leave(gone);
  await turn();
  assert.deepEqual(seen, ['next']);
});

test('one that leaves twice makes room once', async () => {
  const { upstream, users } = fullUpstream();
  const seen: string[] = [];
  for (const name of ['a', 'b']) upstream.enter(named(name, seen));
  for (const user of users.slice(0, 1)) {
    upstream.leave(user);
    upstream.leave(user);
  }
  await turn();
  assert.deepEqual(seen, ['a']);
});
