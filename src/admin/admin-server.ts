import { createServer, type Server, type ServerResponse } from 'node:http';

/** Answers GET at a path of its own. `query` begins with its question mark, or is empty. Must not throw. */
export type AdminAnswer = (query: string, response: ServerResponse) => void;

/** What an administrator can ask a process. */
export interface AdminSurface {
  /** Why requests should go elsewhere now, in one sentence; `undefined`: they may come. */
  readonly whyNotReady: () => string | undefined;
  /** What is answered beside the probes, by path. */
  readonly answers: ReadonlyMap<string, AdminAnswer>;
}

/** More than a kubelet, some scrapers and a person need. Whoever holds connections open here takes no files from the data path. */
const MAX_CONNECTIONS = 100;

/**
 * Answers `/livez` while the event loop turns, `/readyz` with 503 and the reason while requests should go elsewhere, and what
 * else it is given. Not on the port of the clients: a full edge must not look like a dead one, and clients are not to read this.
 */
export function createAdminServer(surface: AdminSurface): Server {
  const answers = new Map<string, AdminAnswer>([
    ['/livez', (_query, response) => void response.writeHead(200).end('ok\n')],
    ['/readyz', answerReady(surface.whyNotReady)],
    ...surface.answers,
  ]);
  const server = createServer((request, response) => {
    const { path, query } = splitTarget(request.url);
    const answer = answers.get(path);
    if (answer === undefined) response.writeHead(404).end('not found\n');
    else if (request.method !== 'GET' && request.method !== 'HEAD')
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
    else answer(query, response);
  });
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

/** Ends it and whatever still asks it: nobody's request is at stake here. */
export function closeAdminServer(server: Server): void {
  server.close();
  server.closeAllConnections();
}

const answerReady =
  (whyNotReady: AdminSurface['whyNotReady']): AdminAnswer =>
  (_query, response) => {
    const problem = whyNotReady();
    if (problem === undefined) response.writeHead(200).end('ok\n');
    else response.writeHead(503).end(`${problem}\n`);
  };

function splitTarget(target = ''): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?');
  const end = mark === -1 ? target.length : mark;
  return { path: target.slice(0, end), query: target.slice(end) };
}
