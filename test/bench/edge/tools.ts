import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findLlamaSwap } from '../fronts.ts';

/** The programs that take part. */
export interface Tools {
  readonly nginx: string;
  readonly wrk: string;
  readonly haproxy: string | undefined;
  readonly llamaSwap: string | undefined;
  readonly llamaServer: string | undefined;
}

/** Where Debian keeps servers; not on every user's PATH. */
const SERVERS = '/usr/sbin';

/** A program on PATH; `undefined`: it is not installed. */
export function findProgram(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const path = env['PATH'] === undefined ? '' : env['PATH'];
  return [...path.split(delimiter), SERVERS].map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** Finds them, or the reason why there can be no bench. */
export function findTools(env: NodeJS.ProcessEnv, llamaServer: string | undefined): Tools | string {
  const nginx = findProgram('nginx', env);
  if (nginx === undefined) return 'nginx is not installed: it is the stub that everybody forwards to';
  const wrk = findProgram('wrk', env);
  if (wrk === undefined) return 'wrk is not installed: it makes the load';
  return { nginx, wrk, llamaServer, haproxy: findProgram('haproxy', env), llamaSwap: findLlamaSwap(env) };
}

/** Who is left out, and why, one line each. */
export const describeMissing = ({ haproxy, llamaSwap, llamaServer }: Tools): string[] => [
  ...(haproxy === undefined ? ['haproxy is not installed, so it is left out'] : []),
  ...(llamaSwap === undefined
    ? ['llama-swap is not installed, so it is left out; name it by LLAMA_SWAP or put it on PATH']
    : []),
  ...(llamaServer === undefined
    ? ['there is no llama-server, so its router is left out; name it by LLAMA_SERVER']
    : []),
];
