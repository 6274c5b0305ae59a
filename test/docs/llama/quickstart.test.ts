import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { LogBook } from '../../support/log-book.ts';
import { untilDead } from '../../support/recorder.ts';
import { tempFolder, type Cleanup } from '../../support/temp-folder.ts';
import { blocksOf, readText, root, sectionOf, type Block } from '../support/markdown.ts';

const execute = promisify(execFile);
const readme = readText('README.md');
const PRINTED_URL = 'http://127.0.0.1:8080';

/** A command or program of the document, and what it is said to print; `undefined`: nothing is said. */
interface Step {
  readonly text: string;
  readonly promised: string | undefined;
}

/** Each block in a language, with the `text` block that follows it. */
function stepsOf(heading: string, language: string): Step[] {
  const blocks = blocksOf(sectionOf(readme, heading));
  return blocks.flatMap((block, index) => (block.language === language ? [stepOf(block, blocks[index + 1])] : []));
}

const stepOf = ({ text }: Block, next: Block | undefined): Step => ({
  text,
  promised: next?.language === 'text' ? next.text : undefined,
});

const [start, ...requests] = stepsOf('Quickstart', 'sh');
const programs = stepsOf('With the openai client', 'js');

/** Asserts that a text is what was promised, where `...` stands for anything. */
function assertKept(text: string, promised: string | undefined): void {
  assert.ok(promised !== undefined, `the document does not say what comes of it: ${text}`);
  const parts = promised.trim().split('...');
  const pattern = parts.map((part) => part.replaceAll(/[^\w\s]/gu, '\\$&')).join('[\\s\\S]*');
  assert.match(text.trim(), new RegExp(`^${pattern}$`));
}

const hasCurl = await execute('curl', ['--version']).then(
  () => true,
  () => false,
);
const hasLlamaServer = process.env['LLAMA_SERVER'] !== undefined;

/** Why these tests cannot run here, or false. */
function whySkip(): string | false {
  if (!hasLlamaServer) return 'LLAMA_SERVER names no llama-server; npm test finds or builds one';
  return hasCurl ? false : 'curl is not on PATH: install it to run the quickstart as printed';
}

/** What the quickstart starts. */
interface Started {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly log: LogBook;
  readonly url: string;
}

/** Runs the quickstart's first command. Only the port differs: 8080 may be taken on this machine. */
async function startAsPrinted(t: Cleanup): Promise<Started> {
  const foreign = /^(NODE_TEST_CONTEXT|NODE_OPTIONS|LLAMA_ARG_.*)$/u;
  const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
  const child = spawn('sh', ['-euc', start === undefined ? 'false' : start.text], {
    cwd: root,
    env: { ...kept, XDG_CACHE_HOME: await tempFolder(t), LLAMA_ARG_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const exited = once(child, 'close');
  const log = new LogBook();
  t.after(async () => {
    pressCtrlC(child);
    await exited;
  });
  // npm says what it runs before that speaks.
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{')) log.add(line);
  });
  void exited.then(() => {
    log.close(`code ${String(child.exitCode)}`);
  });
  const { url } = await log.waitFor({ msg: 'listening' });
  assert.ok(url !== undefined);
  return { child, exited, log, url };
}

/** As Ctrl-C on a terminal: the whole foreground group hears it, npm and all. One that is gone hears nothing. */
function pressCtrlC({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGINT');
}

describe('the README', { skip: whySkip(), timeout: 120_000 }, () => {
  it('has a quickstart whose commands do as printed what it says, and leave nothing running', async (t) => {
    const { child, exited, log, url } = await startAsPrinted(t);
    assert.ok(requests.length >= 5);
    for (const { text, promised } of requests) {
      const { stdout } = await execute('sh', ['-euc', text.replaceAll(PRINTED_URL, url)]);
      assertKept(stdout, promised);
    }
    const started = log.all({ msg: 'replica started' });
    assert.deepEqual(
      started.map(({ replica }) => replica),
      ['demo-a#1', 'demo-b#2'],
    );
    pressCtrlC(child);
    await exited;
    for (const { pid } of started) if (pid !== undefined) await untilDead(pid);
  });

  it('has a program for the openai client that prints what it says', async (t) => {
    const { url } = await startAsPrinted(t);
    assert.equal(programs.length, 1);
    const folder = await tempFolder(t);
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const { text, promised } of programs) {
      const file = join(folder, 'program.mjs');
      await writeFile(file, text.replaceAll(PRINTED_URL, url));
      const { stdout } = await execute(process.execPath, [file], { env: { PATH: process.env['PATH'] } });
      assertKept(stdout, promised);
    }
  });
});
