import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { FETCH_SCRIPT } from './fetch-script.ts';

const CONTENT = Buffer.alloc(100_000, 'all of the model ');
const sumOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const SUM = sumOf(CONTENT);

interface Ended {
  readonly code: number;
  /** What the kubelet has at last. */
  readonly lastLine: string;
}

interface RunOptions {
  readonly path?: string;
  readonly pod?: string;
  /** Where its programs are; those of this machine unless given. */
  readonly programs?: string | undefined;
}

interface Bed {
  readonly cache: string;
  readonly file: string;
  /** The ranges that were asked for, `whole` where none. */
  readonly asked: readonly string[];
  run(sum: string, options?: RunOptions): Promise<Ended>;
  content(): Promise<Buffer>;
  part(pod?: string): string;
}

const end = (response: ServerResponse, status: number): void => {
  response.writeHead(status).end();
};

async function startServer(t: TestContext, asked: string[]): Promise<string> {
  let cuts = 1;
  const cut = (response: ServerResponse, from: number): void => {
    response.write(CONTENT.subarray(from, CONTENT.length / 2), () => response.destroy());
  };
  const server = createServer((request, response) => {
    const [, start] = /^bytes=(\d+)-$/u.exec(String(request.headers.range)) ?? [];
    asked.push(start ?? 'whole');
    if (request.url?.startsWith('/missing') === true) {
      end(response, 404);
      return;
    }
    const from = start === undefined ? 0 : Number(start);
    if (from >= CONTENT.length) {
      end(response, 416);
      return;
    }
    const range = `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}`;
    response.writeHead(start === undefined ? 200 : 206, {
      'content-length': CONTENT.length - from,
      'content-range': range,
    });
    if (request.url === '/cut' && (cuts -= 1) === 0) cut(response, from);
    else response.end(CONTENT.subarray(from));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

async function startBed(t: TestContext): Promise<Bed> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-fetch-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  const asked: string[] = [];
  const url = await startServer(t, asked);
  const [cache, file] = [join(folder, 'shared'), join(folder, 'own', 'model.gguf')];
  return {
    cache,
    file,
    asked,
    run: async (sum, { path = '/model', pod = 'a-0', programs = process.env['PATH'] } = {}) =>
      new Promise((resolve) => {
        const env = { PATH: programs, LLAMA_CACHE: cache, CORRAL_POD: pod };
        execFile('sh', ['-c', FETCH_SCRIPT, 'sh', url + path, file, sum], { env }, (error, _out, said) => {
          const code = error === null ? 0 : Number(error.code);
          resolve({ code, lastLine: said.trimEnd().split('\n').slice(-1).join('') });
        });
      }),
    content: async () => readFile(file),
    part: (pod = 'a-0') => join(cache, 'corral', `sha256-${SUM}.gguf.${pod}.part`),
  };
}

async function leavePart(bed: Bed, content: Buffer): Promise<void> {
  await mkdir(dirname(bed.part()), { recursive: true });
  await writeFile(bed.part(), content);
}

const kept = async ({ cache }: Bed): Promise<string[]> =>
  (await readdir(join(cache, 'corral'))).filter((name) => !name.endsWith('.lock'));

function onPath(program: string): string | undefined {
  const { PATH = '' } = process.env;
  const paths = PATH.split(delimiter).map((folder) => join(folder, program));
  return paths.find((path) => existsSync(path));
}

const whyNoLock = (): string | false => (onPath('flock') === undefined ? 'this machine has no flock' : false);

/** A folder with what the script needs, and no more. */
async function withoutFlock(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-programs-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  for (const program of ['sh', 'curl', 'sha256sum', 'mkdir', 'mv', 'ln', 'rm', 'sleep']) {
    const path = onPath(program);
    assert.ok(path !== undefined, program);
    await symlink(path, join(folder, program));
  }
  return folder;
}

describe('the script that downloads a file', () => {
  it('keeps it under its sum, and takes it from there the next time', async (t) => {
    const bed = await startBed(t);
    for (const pod of ['a-0', 'b-0']) assert.deepEqual(await bed.run(SUM, { pod }), { code: 0, lastLine: '' });
    assert.deepEqual(await bed.content(), CONTENT);
    assert.deepEqual(await kept(bed), [`sha256-${SUM}.gguf`]);
    assert.deepEqual(bed.asked, ['whole']);
  });

  it('keeps none without a sum: each pod downloads again', async (t) => {
    const bed = await startBed(t);
    for (const pod of ['a-0', 'b-0']) assert.equal((await bed.run('', { pod })).code, 0);
    assert.deepEqual(await bed.content(), CONTENT);
    assert.ok(!existsSync(bed.cache));
    assert.deepEqual(bed.asked, ['whole', 'whole']);
  });

  it('refuses a file with another sum, says which, and leaves nothing', async (t) => {
    const bed = await startBed(t);
    const wrong = '0'.repeat(64);
    assert.deepEqual(await bed.run(wrong), {
      code: 1,
      lastLine: `the file is another one: its SHA-256 is ${SUM}, not ${wrong}`,
    });
    assert.deepEqual(await kept(bed), []);
    assert.ok(!existsSync(bed.file));
  });

  it('goes on after a broken connection, and after a pod that has ended in between', async (t) => {
    const bed = await startBed(t);
    assert.equal((await bed.run(SUM, { path: '/cut' })).code, 0);
    assert.deepEqual(await bed.content(), CONTENT);
    assert.deepEqual(bed.asked, ['whole', String(CONTENT.length / 2)]);

    const other = await startBed(t);
    await leavePart(other, CONTENT.subarray(0, 7));
    assert.equal((await other.run(SUM)).code, 0);
    assert.deepEqual([await other.content(), other.asked], [CONTENT, ['7']]);
  });

  it('begins anew where what an earlier pod left is no beginning of the file, or more than it', async (t) => {
    for (const left of [Buffer.from('other'), Buffer.concat([CONTENT, CONTENT])]) {
      const bed = await startBed(t);
      await leavePart(bed, left);
      assert.deepEqual(await bed.run(SUM), { code: 0, lastLine: '' });
      assert.deepEqual([await bed.content(), bed.asked], [CONTENT, [String(left.length), 'whole']]);
    }
  });

  it('fetches a file once for two pods that want it in one cache at once', { skip: whyNoLock() }, async (t) => {
    const bed = await startBed(t);
    const ended = await Promise.all(['a-0', 'b-0'].map(async (pod) => bed.run(SUM, { pod })));
    assert.deepEqual(
      ended.map(({ code }) => code),
      [0, 0],
    );
    assert.deepEqual(await bed.content(), CONTENT);
    assert.deepEqual(await kept(bed), [`sha256-${SUM}.gguf`]);
    assert.deepEqual(bed.asked, ['whole']);
  });

  it('fetches it for each of them where the image has no flock, or the cache takes no lock', async (t) => {
    for (const isLocked of [false, true]) {
      const bed = await startBed(t);
      if (isLocked) await mkdir(join(bed.cache, 'corral', `sha256-${SUM}.gguf.lock`), { recursive: true });
      const programs = isLocked ? undefined : await withoutFlock(t);
      const ended = await Promise.all(['a-0', 'b-0'].map(async (pod) => bed.run(SUM, { pod, programs })));
      assert.deepEqual(ended, [
        { code: 0, lastLine: '' },
        { code: 0, lastLine: '' },
      ]);
      assert.deepEqual(await bed.content(), CONTENT);
      assert.deepEqual(await kept(bed), [`sha256-${SUM}.gguf`]);
    }
  });

  it('says what is wrong with the server, and repeats no URL', async (t) => {
    const bed = await startBed(t);
    const { code, lastLine } = await bed.run(SUM, { path: '/missing?secret' });
    assert.equal(code, 1);
    assert.match(lastLine, /404/u);
    assert.doesNotMatch(lastLine, /secret/u);
  });

  it('says that the cache is full', async (t) => {
    const bed = await startBed(t);
    await mkdir(dirname(bed.part()), { recursive: true });
    await symlink('/dev/full', bed.part());
    const { code, lastLine } = await bed.run(SUM);
    assert.equal(code, 1);
    assert.match(lastLine, /^the cache is full or cannot be written: /u);
    assert.deepEqual(await kept(bed), []);
  });
});
