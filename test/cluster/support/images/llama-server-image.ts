import { findLlamaServer } from '../../../../scripts/find-llama-server.ts';
import type { ImageContent, ImageFile } from '../../../../scripts/oci-image.ts';
import { programWithLibraries } from '../../../../scripts/shared-libraries.ts';
import { findExecutable } from '../../../../src/backend/local/llama-server/find-executable.ts';

/** What pods may call besides llama-server, as in llama.cpp's own images, which are made from Ubuntu. */
const TOOLS = ['curl', 'sleep', 'grep', 'cat', 'sha256sum', 'mkdir', 'mv', 'ln', 'rm'];

/** The llama-server for the tests: the one in `LLAMA_SERVER`, or as Corral finds it. Throws if there is none. */
export function llamaServerProgram(env: NodeJS.ProcessEnv): string {
  const given = env['LLAMA_SERVER'];
  const program = given === undefined ? findLlamaServer({ build: true }) : given;
  if (program === undefined) throw new Error('there is no llama-server; fix: what is named above, or set LLAMA_SERVER');
  return program;
}

/** This machine's llama-server, laid out like llama.cpp's images: it is the entrypoint, and there are `sh` and `curl`. */
export function llamaServerImage(env: NodeJS.ProcessEnv): ImageContent {
  const programs = [
    programWithLibraries(llamaServerProgram(env), '/app/llama-server'),
    programWithLibraries(executable('dash', env), '/bin/sh'),
    ...TOOLS.map((name) => programWithLibraries(executable(name, env), `/usr/bin/${name}`)),
  ];
  return {
    files: new Map<string, ImageFile>(programs.flatMap((files) => [...files])),
    folders: new Map([['/tmp', 0o1777]]),
    config: { Entrypoint: ['/app/llama-server'], WorkingDir: '/app', Env: ['PATH=/usr/bin:/bin'] },
  };
}

function executable(name: string, env: NodeJS.ProcessEnv): string {
  const path = findExecutable(name, env);
  if (path === undefined)
    throw new Error(`${name} is not on PATH; fix: install it, the image of llama-server needs it`);
  return path;
}
