import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ApiError, ApiUnreachable, type WatchEvent } from './kube-api.ts';
import { WatchLines } from './watch-lines.ts';

const pod = (name: string, version: number): object => ({
  metadata: {
    name,
    uid: `uid-${name}`,
    resourceVersion: String(version),
    creationTimestamp: '2026-01-01T00:00:00Z',
    managedFields: [{ manager: 'somebody' }],
  },
});

const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;

const BOOKMARK = line('BOOKMARK', { metadata: { resourceVersion: '12', creationTimestamp: null } });

/** The events of pieces, and the error after them. */
function decode(...pieces: readonly Uint8Array[]): { events: WatchEvent[]; error: unknown } {
  const lines = new WatchLines('GET /api/v1/pods');
  const events: WatchEvent[] = [];
  try {
    for (const piece of pieces) for (const event of lines.push(piece)) events.push(event);
    lines.end();
  } catch (error) {
    return { events, error };
  }
  return { events, error: undefined };
}

const textOf = (events: readonly WatchEvent[]): string[] =>
  events.map((event) =>
    event.kind === 'bookmark' ? `bookmark ${event.resourceVersion}` : `${event.kind} ${event.object.metadata.name}`,
  );

const bytes = (text: string): Uint8Array => Buffer.from(text);

test('events are the same however the stream is cut, within a character too', () => {
  const stream = bytes(line('ADDED', pod('größe', 10)) + line('DELETED', pod('日本', 11)) + BOOKMARK);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: stream.length })), (cuts) => {
      const ends = [...cuts, stream.length].toSorted((a, b) => a - b);
      const pieces = ends.map((end, index) => stream.subarray(index === 0 ? 0 : ends[index - 1], end));
      const { events, error } = decode(...pieces);
      assert.equal(error, undefined);
      assert.deepEqual(textOf(events), ['changed größe', 'deleted 日本', 'bookmark 12']);
    }),
    { numRuns: 200 },
  );
});

test('managedFields are dropped', () => {
  const [event] = decode(bytes(line('MODIFIED', pod('a', 10)))).events;
  assert.ok(event?.kind === 'changed');
  assert.ok(!('managedFields' in event.object.metadata));
});

test('what is no event breaks the stream, after the events before it were given out', () => {
  const good = line('ADDED', pod('a', 10));
  const { resourceVersion, ...rest } = (pod('b', 11) as { metadata: Record<string, unknown> }).metadata;
  assert.equal(resourceVersion, '11');
  for (const [bad, why] of [
    ['{"type":"ADDED"\n', /not JSON/],
    ['[]\n', /no event/],
    [line('ADDED', { metadata: rest }), /without a whole object/],
    [line('ADDED', { metadata: { ...rest, resourceVersion: 'x1' } }), /without a whole object/],
    [line('RENAMED', pod('b', 11)), /without a whole object/],
    [line('BOOKMARK', { metadata: {} }), /without a whole object/],
    [line('DELETED', pod('b', 11)).slice(0, -20), /ended within a line/],
  ] as const) {
    const { events, error } = decode(bytes(good + bad));
    assert.deepEqual(textOf(events), ['changed a']);
    assert.ok(error instanceof ApiUnreachable, bad);
    assert.match(error.message, why);
    assert.match(error.message, /^GET \/api\/v1\/pods: /);
  }
  const notUtf8 = decode(bytes(good), Uint8Array.of(0xff, 0xfe)).error;
  assert.ok(notUtf8 instanceof ApiUnreachable);
});

test('an ERROR event is the error that the server names', () => {
  const status = {
    kind: 'Status',
    code: 410,
    reason: 'Expired',
    message: 'too old',
    details: { retryAfterSeconds: 2 },
  };
  const { events, error } = decode(bytes(line('ADDED', pod('a', 10)) + line('ERROR', status)));
  assert.deepEqual(textOf(events), ['changed a']);
  assert.ok(error instanceof ApiError);
  assert.deepEqual([error.status, error.reason, error.retryAfter], [410, 'Expired', 2000]);
  const nameless = decode(bytes(line('ERROR', {}))).error;
  assert.ok(nameless instanceof ApiError);
  assert.equal(nameless.status, 500);
});
