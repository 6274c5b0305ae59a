import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderProcess } from '../cluster/support/stand-in/render-process.ts';
import { phaseOf } from '../cluster/support/stand-in/render-status.ts';
import type { ContainerState } from '../cluster/support/stand-in/render-status.ts';

const surroundings = {
  entrypoint: ['/here/llama-server'],
  env: new Map([
    ['POD_IP', '127.100.0.7'],
    ['HOME', '/models/home'],
  ]),
  mounts: new Map([
    ['/models', '/tmp/m'],
    ['/models/more', '/tmp/more'],
  ]),
  podIp: '127.100.0.7',
};
const argsOf = (...args: readonly string[]): readonly string[] =>
  renderProcess({ name: 'main', image: 'i', args: [...args] }, surroundings).argv.slice(1);

describe('the stand-in for the kubelet', () => {
  it('expands references to variables as Kubernetes does, and leaves those to others alone', () => {
    assert.deepEqual(argsOf('$(POD_IP)', 'a-$(POD_IP)-b', '$(NONE)', '$$(POD_IP)', '$POD_IP', '$$'), [
      ...['127.100.0.7', 'a-127.100.0.7-b', '$(NONE)', '$(POD_IP)', '$POD_IP', '$'],
    ]);
  });

  it('replaces what is mounted by where it lies, the longest mount first, and nothing that only looks like it', () => {
    assert.deepEqual(
      argsOf('/models/a.gguf', '--model=/models/more/b.gguf', '/models', '/models-of-others/a', 'x/models'),
      [...['/tmp/m/a.gguf', '--model=/tmp/more/b.gguf', '/tmp/m', '/models-of-others/a', 'x/models']],
    );
    assert.equal(renderProcess({ name: 'main', image: 'i' }, surroundings).env.get('HOME'), '/tmp/m/home');
  });

  it("has a server listen at the pod's own address where it would at all", () => {
    assert.deepEqual(argsOf('--host', '0.0.0.0', '--host=0.0.0.0', '10.0.0.0'), [
      ...['--host', '127.100.0.7', '--host=127.100.0.7', '10.0.0.0'],
    ]);
  });

  it("runs a container's own command in place of the image's", () => {
    const { argv } = renderProcess({ name: 'main', image: 'i', command: ['sh', '-c'], args: ['true'] }, surroundings);
    assert.deepEqual(argv, ['sh', '-c', 'true']);
  });

  const waiting: ContainerState = { kind: 'waiting', reason: 'ErrImagePull', message: '' };
  const running: ContainerState = { kind: 'running', startedAt: '', ready: true };
  const ended = (exitCode: number): ContainerState => ({
    kind: 'terminated',
    startedAt: '',
    finishedAt: '',
    exitCode,
    message: '',
  });
  for (const [states, restarts, phase] of [
    [[running, waiting], false, 'Pending'],
    [[running, ended(1)], false, 'Running'],
    [[ended(0), ended(1)], false, 'Failed'],
    [[ended(0), ended(0)], false, 'Succeeded'],
    [[ended(1)], true, 'Running'],
  ] as const) {
    it(`calls a pod ${phase} whose containers are ${states.map(({ kind }) => kind).join(' and ')}${restarts ? ' and will run again' : ''}`, () => {
      assert.equal(phaseOf(states, restarts), phase);
    });
  }
});
