import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minutes } from '../../../domain/units.ts';
import { runCommand, runStep } from './run-command.ts';
import type { Command } from './run-command.ts';

function shell(script: string, more: Partial<Command> = {}): Command {
  const signal = new AbortController().signal;
  return { argv: ['/bin/sh', '-c', script], cwd: '/', env: process.env, timeout: minutes(1), signal, ...more };
}

test("A command's exit code and lines arrive, each with where it was written, the last one without a line end too.", async () => {
  const seen: string[] = [];
  const { end, tail } = await runCommand(
    shell('echo out; echo err >&2; printf last; exit 3', { onLine: (line, from) => seen.push(`${from} ${line}`) }),
  );
  assert.deepEqual(end, { kind: 'exited', code: 3 });
  assert.deepEqual(seen.sort(), ['stderr err', 'stdout last', 'stdout out']);
  assert.deepEqual([...tail].sort(), ['err', 'last', 'out']);
});

test('Arguments reach the program as they are.', async () => {
  const { tail } = await runCommand({ ...shell(''), argv: ['printf', '%s|', 'a b', '$HOME', '', "it's"] });
  assert.deepEqual(tail, ["a b|$HOME||it's|"]);
});

test('Only the last 20 lines are kept.', async () => {
  const { tail } = await runCommand(shell('i=0; while [ $i -lt 50 ]; do echo $i; i=$((i+1)); done'));
  assert.deepEqual([tail.length, tail[0], tail[19]], [20, '30', '49']);
});

test('A command that asks a question reads an empty answer and does not wait.', async () => {
  const { tail } = await runCommand(shell('read -r answer; echo "got <$answer>"'));
  assert.deepEqual(tail, ['got <>']);
});

test('What a command leaves running in the background ends with it.', async () => {
  const { end, tail } = await runCommand(shell('sleep 600 & echo $!'));
  assert.deepEqual(end, { kind: 'exited', code: 0 });
  assert.equal(tail.length, 1, 'its output is closed, although the background process inherited it');
});

test('A command that was given up before it began is not started.', async () => {
  const { end, tail } = await runCommand(shell('echo started', { signal: AbortSignal.abort() }));
  assert.deepEqual([end, tail], [{ kind: 'interrupted' }, []]);
});

test('A program that is not there is told in words.', async () => {
  const command = { ...shell(''), argv: ['/nowhere/tool', 'now'] } as const;
  await assert.rejects(runStep('trying', command, runCommand), /^Error: trying failed: \/nowhere\/tool now ended with exit code 127; its last lines:\n.*not found/); // prettier-ignore
});

test('A command that is killed or silent is told so.', async () => {
  const told = async (kind: 'killed' | 'silent'): Promise<string> => {
    const end = kind === 'killed' ? ({ kind, signal: 'SIGSEGV' } as const) : ({ kind: 'exited', code: 1 } as const);
    return runStep('trying', shell(''), async () => Promise.resolve({ end, tail: [] })).then(() => 'nothing', String);
  };
  assert.match(await told('killed'), /was ended by SIGSEGV and said nothing/);
  assert.match(await told('silent'), /ended with exit code 1 and said nothing/);
});
