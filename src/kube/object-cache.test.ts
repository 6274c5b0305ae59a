import assert from 'node:assert/strict';
import { test } from 'node:test';
import { after, instant, minutes } from '../domain/units.ts';
import type { KubeObject } from './kube-object.ts';
import { ObjectCache } from './object-cache.ts';

const NOW = instant(0);

const object = (uid: string, version: string): KubeObject => ({
  metadata: { name: uid, uid, resourceVersion: version, creationTimestamp: '2026-01-01T00:00:00Z' },
});

const contents = (cache: ObjectCache): string[] =>
  cache.objects().map(({ metadata }) => `${metadata.uid}@${metadata.resourceVersion}`);

test('an older state never replaces a newer one, and versions are compared as numbers of any length', () => {
  const cache = new ObjectCache();
  assert.ok(cache.put(object('a', '100')));
  assert.ok(!cache.put(object('a', '99')), 'as texts, 99 is greater than 100');
  assert.ok(!cache.put(object('a', '100')), 'the same again is no change');
  assert.ok(cache.put(object('a', '9007199254740992')));
  assert.ok(cache.put(object('a', '9007199254740993')), 'as floating point, these two are the same');
  assert.deepEqual(contents(cache), ['a@9007199254740993']);
});

test('what was deleted does not come back with a state from before the deletion', () => {
  const cache = new ObjectCache();
  cache.put(object('a', '10'));
  assert.ok(cache.remove('a', '12', NOW));
  assert.ok(!cache.put(object('a', '11')));
  assert.equal(cache.find('a'), undefined);
  assert.ok(cache.put(object('a', '13')), 'its labels have left the selector and come back');
});

test('a deletion that is certain is for ever', () => {
  const cache = new ObjectCache();
  assert.ok(!cache.remove('a', undefined, NOW), 'it was not known');
  assert.ok(!cache.put(object('a', '11')));
});

test('a deletion older than the known state is none', () => {
  const cache = new ObjectCache();
  cache.put(object('a', '13'));
  assert.ok(!cache.remove('a', '12', NOW));
  assert.deepEqual(contents(cache), ['a@13']);
});

test('a list removes by uid, spares what was created after it, and revives nothing', () => {
  const cache = new ObjectCache();
  cache.put(object('old-life', '10'));
  cache.put(object('created-since', '21'));
  cache.remove('deleted-since', undefined, NOW);
  const list = { items: [object('new-life', '15'), object('deleted-since', '12')], resourceVersion: '20' };
  assert.deepEqual(cache.takeList(list, NOW), ['old-life', 'new-life']);
  assert.deepEqual(contents(cache).toSorted(), ['created-since@21', 'new-life@15']);
  assert.ok(!cache.put(object('old-life', '11')), 'its deletion is remembered');
});

test('deletions are forgotten after a time, so that they do not fill memory', () => {
  const cache = new ObjectCache();
  cache.remove('a', undefined, NOW);
  const list = { items: [], resourceVersion: '20' };
  cache.takeList(list, after(NOW, minutes(10)));
  assert.ok(!cache.put(object('a', '11')));
  cache.takeList(list, after(NOW, minutes(11)));
  assert.ok(cache.put(object('a', '11')));
});

test('deletions are forgotten where nothing is ever listed again', () => {
  const cache = new ObjectCache();
  const [old, young] = [object('old', '11'), object('young', '11')];
  cache.remove('old', undefined, NOW);
  cache.remove('young', undefined, after(NOW, minutes(8)));
  cache.remove('old', undefined, after(NOW, minutes(9)));
  cache.remove('another', undefined, after(NOW, minutes(11)));
  assert.ok(!cache.put(old), 'it was deleted again since');
  cache.remove('another', undefined, after(NOW, minutes(18.5)));
  assert.deepEqual([cache.put(young), cache.put(old)], [true, false]);
  cache.remove('another', undefined, after(NOW, minutes(20)));
  assert.ok(cache.put(old));
});

test('a spec that says the same stays the very same value, also where the object comes anew', () => {
  const cache = new ObjectCache();
  const spec = { presets: [{ name: 'a' }] };
  cache.put({ ...object('a', '10'), spec });
  cache.put({ ...object('a', '11'), spec: structuredClone(spec), status: { loaded: 1 } });
  assert.equal(cache.find('a')?.['spec'], spec);
  assert.deepEqual(cache.find('a')?.['status'], { loaded: 1 });
  cache.put({ ...object('a', '12'), spec: { presets: [{ name: 'b' }] } });
  assert.deepEqual(cache.find('a')?.['spec'], { presets: [{ name: 'b' }] });
  cache.put(object('a', '13'));
  assert.equal(cache.find('a')?.['spec'], undefined);
});
