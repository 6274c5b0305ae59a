import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENTS } from '../api/cluster/resources.ts';
import { replicaId } from '../domain/ids.ts';
import { keptLog, startKube } from '../testing/kube-testbed.ts';
import { EventWriter, type EventWriterParts } from './event-writer.ts';
import type { Happening } from './transitions.ts';

const happening: Happening = {
  type: 'Normal',
  reason: 'Loaded',
  action: 'Load',
  note: 'a: it is ready',
  object: { namespace: 'ml', name: 'chat', uid: 'chat-uid' },
  replica: replicaId('pod-uid'),
};

const writer = (parts: Pick<EventWriterParts, 'api' | 'log'>): EventWriter =>
  new EventWriter({
    wallNow: () => Date.parse('2026-01-01T00:00:00.123Z'),
    podOf: (uid) => (uid === 'pod-uid' ? { namespace: 'ml', name: 'pod', uid } : undefined),
    instance: 'operator-1',
    nonce: 'abc',
    ...parts,
  });

test('an Event tells of the ModelDeployment and its pod, in the form that the API server takes', async (t) => {
  const { server, api } = await startKube(t);
  writer({ api, log: keptLog() }).report([happening, { ...happening, note: 'é'.repeat(2000), replica: undefined }]);
  await server.until(() => server.objects(EVENTS).length === 2);
  const [first, second] = server.requests.map(({ body }) => body);
  assert.deepEqual(first, {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'chat.abc000001', namespace: 'ml' },
    eventTime: '2026-01-01T00:00:00.123000Z',
    reportingController: 'corral.dev/operator',
    reportingInstance: 'operator-1',
    type: 'Normal',
    reason: 'Loaded',
    action: 'Load',
    note: 'a: it is ready',
    regarding: {
      apiVersion: 'corral.dev/v1alpha1',
      kind: 'ModelDeployment',
      namespace: 'ml',
      name: 'chat',
      uid: 'chat-uid',
    },
    related: { apiVersion: 'v1', kind: 'Pod', namespace: 'ml', name: 'pod', uid: 'pod-uid' },
  });
  assert.equal(second?.['related'], undefined);
  const note = second?.['note'];
  assert.ok(typeof note === 'string');
  assert.ok(Buffer.byteLength(note) <= 1024 && Buffer.byteLength(note) > 1000);
  assert.match(note, /^é+…$/u);
});

test('an Event that is refused is lost, which is logged, and the next one is written', async (t) => {
  const { server, api } = await startKube(t);
  const log = keptLog();
  server.fail({ verb: 'create', plural: 'events' }, { kind: 'status', status: 403 }, 1);
  writer({ api, log }).report([happening, happening]);
  await server.until(() => server.objects(EVENTS).length === 1);
  assert.match(log.lines.join('\n'), /^warn an Event is lost/u);
});

test('more Events than there is room for are lost and counted, and nothing waits for them', async () => {
  const log = keptLog();
  const asked: string[] = [];
  const { promise: lastAsked, resolve } = Promise.withResolvers<undefined>();
  const create: EventWriterParts['api']['create'] = async (_resource, { metadata }) => {
    asked.push(metadata.name);
    if (asked.length === 256) resolve(undefined);
    return Promise.reject(new Error('nobody listens'));
  };
  writer({ api: { create }, log }).report(Array.from({ length: 300 }, () => happening));
  await lastAsked;
  assert.equal(new Set(asked).size, 256);
  assert.match(log.lines.join('\n'), /Events are lost/u);
});
