import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeFreePort } from '../../../src/backend/local/free-port.ts';
import { processTree } from './process-figures.ts';
import { spawnPinned, untilServing, type Start } from './stage.ts';

const nginxConfig = (port: number, upstream: number): string => `daemon off;
worker_processes 1;
error_log stderr crit;
pid nginx-${port}.pid;
events { worker_connections 8192; }
http {
  access_log access-${port}.log;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  upstream stub { server 127.0.0.1:${upstream}; keepalive 512; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://stub;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 1h;
    }
  }
}
`;

export const startNginx: Start = async (stage) => {
  const port = await takeFreePort();
  writeFileSync(join(stage.folder, `front-${port}.conf`), nginxConfig(port, stage.stub.port));
  const command = [stage.tools.nginx, '-p', stage.folder, '-c', `front-${port}.conf`];
  const pid = spawnPinned(stage, `nginx-${port}`, { command });
  await untilServing(stage, 'nginx', port);
  return { name: 'nginx', port, pids: processTree(pid), probe: undefined };
};

const haproxyConfig = (port: number, upstream: number): string => `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend front
  bind 127.0.0.1:${port} backlog 4096
  default_backend stub
backend stub
  server stub 127.0.0.1:${upstream}
`;

export const startHaproxy: Start = async (stage) => {
  const { haproxy } = stage.tools;
  if (haproxy === undefined) return undefined;
  const port = await takeFreePort();
  const config = join(stage.folder, `haproxy-${port}.conf`);
  writeFileSync(config, haproxyConfig(port, stage.stub.port));
  const pid = spawnPinned(stage, `haproxy-${port}`, { command: [haproxy, '-db', '-f', config] });
  await untilServing(stage, 'haproxy', port);
  return { name: 'haproxy', port, pids: [pid], probe: undefined };
};
