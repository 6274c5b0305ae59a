import { createServer, type Server, type ServerResponse } from 'node:http';

/** Answers GET at a path of its own. `query` begins with its question mark, or is empty. */
export type AdminAnswer = (query: string, response: ServerResponse) => void;

const NO_OTHERS: ReadonlyMap<string, AdminAnswer> = new Map();

/**
 * Answers a kubelet's probes: `/livez` while the event loop turns, `/readyz` with 503 and the reason while requests should
 * go elsewhere. Not on the port of the clients: a full edge must not look like a dead one. `others` are answered beside them, by path.
 */
export function createProbeServer(
  whyNotReady: () => string | undefined,
  others: ReadonlyMap<string, AdminAnswer> = NO_OTHERS,
): Server {
  return createServer((request, response) => {
    const { path, query } = splitTarget(request.url);
    const answer = others.get(path);
    const problem = path === '/readyz' ? whyNotReady() : undefined;
    if (answer === undefined && path !== '/livez' && path !== '/readyz') response.writeHead(404).end('not found\n');
    else if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405, { allow: 'GET' }).end();
    else if (answer !== undefined) answer(query, response);
    else if (problem === undefined) response.writeHead(200).end('ok\n');
    else response.writeHead(503).end(`${problem}\n`);
  });
}

function splitTarget(target = ''): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?');
  const end = mark === -1 ? target.length : mark;
  return { path: target.slice(0, end), query: target.slice(end) };
}
