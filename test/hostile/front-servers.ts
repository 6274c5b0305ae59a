import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { takeFreePort } from '../../src/backend/local/free-port.ts';
import { findProgram } from '../bench/edge/tools.ts';
import { runServer, untilTrue } from '../support/run-server.ts';
import { tempFolder, type Cleanup } from '../support/temp-folder.ts';

/** A proxy that stands between hostile clients and the edge, as it is set up for an API. */
export interface Front {
  readonly name: string;
  readonly config: (port: number, edge: number, folder: string) => string;
  readonly args: (config: string, folder: string) => readonly string[];
}

/** Connections to the edge are kept and shared among clients: that is where smuggled requests do harm. */
const nginx: Front = {
  name: 'nginx',
  config: (port, edge, folder) => `daemon off;
worker_processes 1;
error_log stderr crit;
pid ${folder}/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_header_timeout 1s;
  client_body_timeout 1s;
  keepalive_timeout 1s;
  lingering_timeout 1s;
  underscores_in_headers on;
  ignore_invalid_headers off;
  merge_slashes off;
  upstream edge { server 127.0.0.1:${edge}; keepalive 8; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {
      proxy_pass http://edge;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
    }
  }
}
`,
  args: (config, folder) => ['-p', folder, '-c', config],
};

const haproxy: Front = {
  name: 'haproxy',
  config: (port, edge) => `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 2s
  timeout client 1s
  timeout http-request 1s
  timeout http-keep-alive 1s
  timeout server 10s
frontend front
  bind 127.0.0.1:${port} backlog 1024
  default_backend edge
backend edge
  server edge 127.0.0.1:${edge}
`,
  args: (config) => ['-db', '-f', config],
};

export const FRONTS: readonly Front[] = [nginx, haproxy];

/** Resolves with the port of a proxy in front of the edge, or `undefined`: this machine has no such program. */
export async function startFront(t: Cleanup, front: Front, edge: number): Promise<number | undefined> {
  const program = findProgram(front.name, process.env);
  if (program === undefined) return undefined;
  const folder = await tempFolder(t);
  const port = await takeFreePort();
  const config = join(folder, 'front.conf');
  await writeFile(config, front.config(port, edge, folder));
  const server = runServer(program, front.args(config, folder));
  t.after(server.stop);
  await untilTrue(`${front.name} listens`, async () => canConnect(port), 50);
  return port;
}

const canConnect = async (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
