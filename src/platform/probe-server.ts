import { createServer, type Server } from 'node:http';

/**
 * Answers a kubelet's probes: `/livez` while the event loop turns, `/readyz` with 503 and the reason while requests should
 * go elsewhere. Not on the port of the clients: a full edge must not look like a dead one.
 */
export function createProbeServer(whyNotReady: () => string | undefined): Server {
  return createServer((request, response) => {
    const problem = request.url === '/readyz' ? whyNotReady() : undefined;
    if (request.url !== '/livez' && request.url !== '/readyz') response.writeHead(404).end('not found\n');
    else if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405, { allow: 'GET' }).end();
    else if (problem === undefined) response.writeHead(200).end('ok\n');
    else response.writeHead(503).end(`${problem}\n`);
  });
}
