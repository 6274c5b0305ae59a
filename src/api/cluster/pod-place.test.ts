import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatFootprint, readBin, readFootprint } from './pod-place.ts';

const BIN = 'corral.dev/bin';
const FOOTPRINT = 'corral.dev/footprint';
const GI = 2 ** 30 * 1000;

const specWith = (limits?: object): object => ({
  containers: [
    { name: 'proxy', resources: { limits: { memory: '1Gi' } } },
    { name: 'llama-server', ...(limits === undefined ? {} : { resources: { limits } }) },
  ],
});

const footprint = (text: string | undefined, limits?: object): object => {
  const annotations = text === undefined ? {} : { [FOOTPRINT]: text };
  return Object.fromEntries(readFootprint(annotations, specWith(limits)));
};

describe('what a pod takes', () => {
  it('is read as it was written', () => {
    const takes = new Map([
      ['vram', 9.5 * GI],
      ['example.com/gpu', 500],
    ]);
    const text = formatFootprint(takes);
    assert.equal(text, '{"example.com/gpu":"500m","vram":"9728Mi"}');
    assert.deepEqual(readFootprint({ [FOOTPRINT]: text }, specWith({ cpu: 4 })), takes);
  });
  it('is nothing where that was written, whatever its limits are', () => {
    assert.deepEqual(footprint(formatFootprint(new Map()), { cpu: 4 }), {});
  });
  it('is what its llama-server is limited to, where it does not say or says nothing that Corral writes', () => {
    const limits = { 'nvidia.com/gpu': 1, memory: '2Gi', odd: 'x' };
    for (const text of [
      undefined,
      '',
      '{',
      '[]',
      'null',
      '{"vram":true}',
      '{"vram":"-1"}',
      '{"a":"1","vram":"much"}',
    ]) {
      assert.deepEqual(footprint(text, limits), { 'nvidia.com/gpu': 1000, memory: 2 * GI }, String(text));
    }
    assert.deepEqual(footprint(undefined), {});
    assert.deepEqual(readFootprint({}, undefined), new Map());
  });
});

describe('where a pod lies', () => {
  it('is unknown where it does not say, and not the whole pool', () => {
    assert.equal(readBin({}), undefined);
    assert.equal(readBin({ [BIN]: '' }), undefined);
    assert.equal(readBin({ [BIN]: 'gpu-1' }), 'gpu-1');
  });
});
