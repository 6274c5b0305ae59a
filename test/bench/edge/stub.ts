import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { takeFreePort } from '../../../src/backend/local/free-port.ts';
import { runServer } from '../../support/run-server.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import { pinned, type Cores } from './cores.ts';

/** What answers behind a contestant: nginx with one fixed answer, or a stub of ours that streams events. */
export type StubKind = 'answer' | 'events';

/** How to run a stub. */
export interface Stub {
  /** A program that takes a llama-server's arguments and serves the stub at the `--port` among them. */
  readonly program: string;
  /** The port of one that runs, for contestants that start nobody. */
  readonly port: number;
}

/** The answer's size is that of a short chat completion. */
const ANSWER_BYTES = 600;
/** Every byte of the chosen answer: nginx expands `$` and ends the string at `'`, and neither is among them. */
const ANSWER = answerOf(ANSWER_BYTES);

function answerOf(bytes: number): string {
  const around = JSON.stringify({
    choices: [{ finish_reason: 'stop', index: 0, message: { role: 'assistant', content: '' } }],
    created: 1795849977,
    model: 'm0',
    object: 'chat.completion',
    usage: { completion_tokens: 60, prompt_tokens: 240, total_tokens: 300 },
    id: 'chatcmpl-8Qd0kzXJ9yrqvTn7hYkUe1mJxJxTz0aB',
  });
  return around.replace('"content":""', `"content":"${'word '.repeat(bytes).slice(0, bytes - around.length)}"`);
}

const NGINX = (port: string): string => `daemon off;
master_process off;
error_log stderr crit;
pid nginx-${port}.pid;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_max_body_size 0;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    default_type application/json;
    location / { return 200 '${ANSWER}'; }
  }
}
`;

interface StubParts {
  readonly t: Cleanup;
  readonly folder: string;
  readonly cores: Cores | undefined;
  readonly nginx: string;
}

/**
 * A stub in a llama-server's place. The router of llama.cpp is told by a line that its child is ready, and tells it to
 * end by a line or by closing the pipe; everybody else sends SIGTERM.
 */
const script = ({ folder, cores, nginx }: StubParts, kind: StubKind): string => {
  const command =
    kind === 'answer'
      ? [nginx, '-p', folder, '-c', '"$port.conf"']
      : [process.execPath, join(import.meta.dirname, 'events-stub.ts'), '"$port"'];
  return `#!/bin/sh
if [ "$1" = --version ]; then echo 'version: 0 (a stub of the bench)'; exit; fi
while [ $# -gt 0 ]; do
  if [ "$1" = --port ]; then port=$2; fi
  shift
done
unset NODE_OPTIONS
sed "s/PORT/$port/g" '${folder}/nginx.template' >"${folder}/$port.conf"
serve() { exec ${pinned(cores?.others, command).join(' ')}; }
if [ -z "$LLAMA_SERVER_ROUTER_PORT" ]; then serve; fi
serve &
printf '\\ncmd_child_to_router:state:{"state":"ready","payload":{}}\\n'
read -r order
kill $!
`;
};

/** Writes the stub's program, and runs one. */
export async function makeStub(parts: StubParts, kind: StubKind): Promise<Stub> {
  const { t, folder } = parts;
  const program = join(folder, `stub-${kind}`);
  await writeFile(join(folder, 'nginx.template'), NGINX('PORT'));
  await writeFile(program, script(parts, kind), { mode: 0o755 });
  const port = await takeFreePort();
  const server = runServer(program, ['--port', String(port)]);
  t.after(server.stop);
  return { program, port };
}
