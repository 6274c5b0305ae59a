import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findLlamaServer } from './find-llama-server.ts';
import { parseRequired } from './test-parts.ts';

/** A script that writes generated files, or with --check compares them. */
interface Generator {
  readonly name: string;
  readonly script: string;
  /** Whether it asks a real llama-server. */
  readonly needsLlamaServer: boolean;
}

const generators: readonly Generator[] = [
  {
    name: 'CRDs, docs/api.md, docs/reasons.md and docs/openapi.json',
    script: 'generate-api.ts',
    needsLlamaServer: false,
  },
  { name: "llama-server's options", script: 'generate-llama-options.ts', needsLlamaServer: true },
];

function runGenerator(generator: Generator, check: boolean, llamaServer: string | undefined): boolean {
  process.stdout.write(`${check ? 'comparing' : 'writing'} ${generator.name}\n`);
  const script = join(import.meta.dirname, generator.script);
  const { status } = spawnSync(process.execPath, [script, ...(check ? ['--check'] : [])], {
    stdio: 'inherit',
    env: { ...process.env, ...(llamaServer === undefined ? {} : { LLAMA_SERVER: llamaServer }) },
  });
  return status === 0;
}

/** Without a llama-server a check of what comes from it is skipped, and says so, unless it is required. */
function passOver({ name }: Generator, check: boolean, required: boolean): boolean {
  process.stderr.write(
    `${required ? 'failed' : 'skipped'}: ${name}: no llama-server to compare with; fix: bin/corral llama-server --build, or set LLAMA_SERVER\n`,
  );
  return check && !required;
}

/** Writes the generated files, or with --check says whether they are up to date. */
function main(): number {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const required = parseRequired(process.env['CORRAL_REQUIRE']).has('llama');
  const llamaServer = findLlamaServer({ build: required || !values.check });
  const results = generators.map((generator) =>
    generator.needsLlamaServer && llamaServer === undefined
      ? passOver(generator, values.check, required)
      : runGenerator(generator, values.check, llamaServer),
  );
  return results.every(Boolean) ? 0 : 1;
}

process.exitCode = main();
