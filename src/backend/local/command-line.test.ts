import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aPreset } from '../../testing/worlds.ts';
import { ALLOCATOR_SETTING } from '../../platform/allocator.ts';
import { newPrefix, ownerOf, renderArguments, renderEnvironment } from './command-line.ts';
import { isOrphan } from './orphans.ts';

const endpoint = { origin: 'http://127.0.0.1:4321', prefix: '/corral-1-x' };

describe('a child of Corral', () => {
  it('is told its model, its name, its address and its prefix', () => {
    assert.deepEqual(renderArguments(aPreset('a'), endpoint), [
      ...['--model', 'a.gguf', '--threads-http', '160', '--alias', 'a'],
      ...['--host', '127.0.0.1', '--port', '4321', '--api-prefix', '/corral-1-x'],
    ]);
  });
  it("keeps its preset's own number of HTTP threads", () => {
    const preset = aPreset('a');
    const args = [...preset.launch.args, '--threads-http', '200'];
    const rendered = renderArguments({ ...preset, launch: { ...preset.launch, args } }, endpoint);
    assert.equal(rendered.filter((arg) => arg === '--threads-http').length, 1);
  });
  it("does not inherit what only Corral's allocator is to know, but what the user has told it", () => {
    const preset = { ...aPreset('a'), launch: { ...aPreset('a').launch, env: new Map() } };
    const [name, value] = ALLOCATOR_SETTING;
    assert.deepEqual(renderEnvironment({ [name]: value }, preset), {});
    assert.deepEqual(renderEnvironment({ [name]: '7' }, preset), { [name]: '7' });
  });
  it('inherits the environment, but for what would make it another server', () => {
    const base = {
      PATH: '/bin',
      HF_TOKEN: 't',
      LLAMA_ARG_CTX_SIZE: '512',
      LLAMA_API_KEY: 'k',
      LLAMA_ARG_MODEL: 'm',
      LLAMA_SERVER_ROUTER_PORT: '1',
      AIP_MODE: 'PREDICTION',
      AIP_HTTP_PORT: '1',
    };
    const preset = aPreset('a');
    const own = { ...preset, launch: { ...preset.launch, env: new Map([['PATH', '/own']]) } };
    assert.deepEqual(renderEnvironment(base, own), { PATH: '/own', HF_TOKEN: 't', LLAMA_ARG_CTX_SIZE: '512' });
  });
});

describe('an orphan', () => {
  const commandLine = ['llama-server', '--api-prefix', newPrefix(100), '--port', '1'];
  it('is known by a prefix that names none of its ancestors', () => {
    assert.equal(ownerOf(commandLine), 100);
    assert.ok(isOrphan({ pid: 7, ancestors: [60, 1], commandLine }));
  });
  it('is no child of a Corral that runs, and no other process', () => {
    assert.ok(!isOrphan({ pid: 7, ancestors: [100, 1], commandLine }));
    assert.ok(!isOrphan({ pid: 7, ancestors: [60, 100, 1], commandLine }), 'a script is between them');
    for (const other of [
      ['llama-server'],
      ['llama-server', '--api-prefix'],
      ['x', '--api-prefix', '/corral-1-nonsense'],
    ]) {
      assert.ok(!isOrphan({ pid: 7, ancestors: [1], commandLine: other }));
    }
  });
});
