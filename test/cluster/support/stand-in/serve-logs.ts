import { existsSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { join } from 'node:path';

/** Where the API server asks for logs, and how to end that. */
export interface LogServer {
  readonly port: number;
  stop(): void;
}

/** The path of a container's log; `undefined`: there is no such container. */
export type FindLog = (container: { namespace: string; pod: string; name: string }) => string | undefined;

const ROUTE = /^\/containerLogs\/([^/]+)\/([^/]+)\/([^/]+)$/u;

/** Answers what `kubectl logs` has the API server ask of a kubelet; `keys` holds its certificate. It cannot follow a log. */
export async function serveLogs(keys: string, findLog: FindLog): Promise<LogServer> {
  const [cert, key] = ['server.crt', 'server.key'].map((name) => readFileSync(join(keys, name)));
  if (cert === undefined || key === undefined) throw new Error(`no certificate in ${keys}`);
  const server = createServer({ cert, key }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://stand-in');
    const [, namespace, pod, name] = ROUTE.exec(url.pathname) ?? [];
    const found = namespace !== undefined && pod !== undefined && name !== undefined;
    const path = found ? findLog({ namespace, pod, name }) : undefined;
    if (path === undefined || !existsSync(path)) response.writeHead(404).end('the stand-in has no such log\n');
    else response.end(lastLines(readFileSync(path, 'utf8'), url.searchParams.get('tailLines')));
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port for logs');
  return {
    port: address.port,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function lastLines(log: string, count: string | null): string {
  if (count === null) return log;
  const lines = log.split('\n');
  return lines.slice(Math.max(0, lines.length - 1 - Number(count))).join('\n');
}
