import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cleanup } from '../../support/temp-folder.ts';

/** A server with one repository, as far as llama-server asks it (llama.cpp, common/hf-cache.cpp and common/download.cpp). */
export interface ModelHub {
  readonly url: string;
  /** Where its one file lies. */
  readonly fileUrl: string;
  /** What came in the Authorization header of each request, each once. */
  readonly authorizations: ReadonlySet<string | undefined>;
}

const COMMIT = createHash('sha1').update('the only commit').digest('hex');

interface Repository {
  readonly name: string;
  readonly file: string;
  readonly content: Buffer;
}

type Served = { readonly json: unknown } | { readonly bytes: Buffer };

function serve({ name, file, content }: Repository, path: string): Served | undefined {
  const oid = createHash('sha256').update(content).digest('hex');
  switch (path) {
    case `/api/models/${name}/refs`:
      return { json: { branches: [{ name: 'main', ref: 'refs/heads/main', targetCommit: COMMIT }] } };
    case `/api/models/${name}/tree/${COMMIT}`:
      return { json: [{ type: 'file', path: file, size: content.length, oid: COMMIT, lfs: { oid } }] };
    case `/${name}/resolve/${COMMIT}/${file}`:
      return { bytes: content };
    default:
      return undefined;
  }
}

function answer(response: ServerResponse, served: Served | undefined, isHead: boolean): void {
  if (served === undefined) {
    response.writeHead(404).end();
    return;
  }
  const body = 'json' in served ? Buffer.from(JSON.stringify(served.json)) : served.bytes;
  response.writeHead(200, { 'content-length': body.length });
  response.end(isHead ? undefined : body);
}

/** Starts one at an address of this machine that pods reach; it ends with the test. */
export async function startModelHub(
  t: Cleanup,
  host: string,
  repository: { readonly name: string; readonly file: string; readonly model: string },
): Promise<ModelHub> {
  const { name, file, model } = repository;
  const stock = { name, file, content: await readFile(model) };
  const authorizations = new Set<string | undefined>();
  const server = createServer((request: IncomingMessage, response) => {
    authorizations.add(request.headers.authorization);
    const { pathname } = new URL(String(request.url), 'http://hub');
    answer(response, serve(stock, pathname), request.method === 'HEAD');
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the hub has no port');
  const url = `http://${host}:${address.port}/`;
  return { url, fileUrl: `${url}${name}/resolve/${COMMIT}/${file}`, authorizations };
}
