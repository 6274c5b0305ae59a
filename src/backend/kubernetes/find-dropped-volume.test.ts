import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aPodSettings, anIdentity, templateOf } from '../../testing/pod-settings.ts';
import { findDroppedVolume, mayLoseVolumes } from './find-dropped-volume.ts';
import { renderPod } from './render-pod-template.ts';

const pod = (reference: string): object =>
  renderPod(
    templateOf(
      aPodSettings({ source: { kind: 'image', reference, path: 'a.gguf' }, pod: { volumes: [{ name: 'own' }] } }),
    ),
    anIdentity(),
  );
const made = (...names: readonly string[]): object => ({ spec: { volumes: names.map((name) => ({ name })) } });

test('a volume of an image that an API server leaves out is named, with what to do', () => {
  const reason = findDroppedVolume(pod('example.com/models:1'), made('corral-tmp', 'own'));
  assert.match(
    String(reason),
    /mounts no images, and has left example\.com\/models:1 out; fix: its feature gate ImageVolume/u,
  );
});

test('any other volume that is left out is named, too', () => {
  assert.equal(
    findDroppedVolume(pod('a'), made('corral-tmp', 'corral-model')),
    'the API server has left the volume own out',
  );
  assert.match(String(findDroppedVolume(pod('a'), {})), /corral-tmp/u);
});

test('a pod that is whole, or has more than was sent, is good', () => {
  assert.equal(findDroppedVolume(pod('a'), made('own', 'corral-model', 'corral-tmp', 'injected')), undefined);
});

test('something of a pod may be left out if it has the volume of an image, also one of its user’s', () => {
  const has = (settings: Parameters<typeof aPodSettings>[0]): boolean =>
    mayLoseVolumes(renderPod(templateOf(aPodSettings(settings)), anIdentity()));
  assert.equal(mayLoseVolumes(pod('a')), true);
  assert.equal(has({ pod: { volumes: [{ name: 'own', image: { reference: 'a' } }] } }), true);
  assert.equal(has({ pod: { volumes: [{ name: 'own', emptyDir: {} }] } }), false);
  assert.equal(has({}), false);
});
