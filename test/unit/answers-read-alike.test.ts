import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { ResponseReader } from '../../src/edge/response-reader.ts';
import { portOf } from '../../src/testing/http-kit.ts';
import { testSeed } from '../../src/testing/seed.ts';

/** An answer as it was read; `undefined`: it was refused, or has no end. */
type Read = { readonly status: number; readonly body: string } | undefined;

/** The answer, and its bytes: what comes after it closes the connection. */
function readByUs(text: string): { readonly read: Read; readonly bytes: string } | undefined {
  let status = 0;
  const parts: Buffer[] = [];
  const reader = new ResponseReader({
    head: (head) => {
      status = head.status;
    },
    body: (part) => parts.push(part),
  });
  try {
    const used = reader.read(Buffer.from(text, 'latin1'));
    const read = { status, body: Buffer.concat(parts).toString('latin1') };
    return reader.isWhole ? { read, bytes: text.slice(0, used) } : undefined;
  } catch {
    return undefined;
  }
}

const PIECES: readonly string[] = [
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 204 No Content\r\n',
  'HTTP/1.1 304 Not Modified\r\n',
  'HTTP/1.1 103 Early Hints\r\n',
  'HTTP/1.0 200 OK\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'content-length: 005\r\n',
  'Content-Length: 5, 5\r\n',
  'Content-Length : 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: CHUNKED \r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding\r\n',
  'X: y\r\n',
  'X: y\n',
  'X: y\r',
  ' folded\r\n',
  'Connection: close\r\n',
  '\r\n',
  '\n',
  'hello',
  '5\r\nhello\r\n',
  '5;a=b\r\nhello\r\n',
  '05\r\nhello\r\n',
  '5 \r\nhello\r\n',
  '5\nhello\n',
  'FFFFFFFFFFFFFFFFF\r\n',
  '0\r\n\r\n',
  '0\r\nX: y\r\n\r\n',
  '0\r\n',
  '\0',
];

/** Mostly what an answer looks like, with anything in between. */
const answers = fc
  .tuple(
    fc.constantFrom(...PIECES.slice(0, 5)),
    fc.array(fc.constantFrom(...PIECES.slice(5, 20)), { maxLength: 3 }),
    fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', ''),
    fc.array(fc.constantFrom(...PIECES), { maxLength: 4 }),
  )
  .map(([first, lines, blank, rest]) => first + lines.join('') + blank + rest.join(''));

describe('answers of replicas', () => {
  const server = net.createServer();
  let text = '';
  before(async () => {
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(text, 'latin1'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    server.close();
  });

  const readByNode = async (): Promise<Read> =>
    new Promise((resolve) => {
      const request = http.get({ host: '127.0.0.1', port: portOf(server), agent: false }, (response) => {
        let body = '';
        response.setEncoding('latin1');
        response.on('data', (part: string) => (body += part));
        response.on('error', () => undefined);
        response.on('close', () => {
          resolve(response.complete ? { status: response.statusCode ?? 0, body } : undefined);
        });
      });
      request.on('error', () => {
        resolve(undefined);
      });
    });

  it('mean to us what they mean to Node, or are refused', async () => {
    let both = 0;
    await fc.assert(
      fc.asyncProperty(answers, async (sample) => {
        const ours = readByUs(sample);
        if (ours === undefined) return;
        text = ours.bytes;
        assert.deepEqual(ours.read, await readByNode());
        both += 1;
      }),
      { seed: testSeed(), numRuns: 3000 },
    );
    assert.ok(both > 100, `only ${both} were read`);
  });
});
