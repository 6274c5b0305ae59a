import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findLlamaServer } from './find-llama-server.ts';
import { parseRequired } from './test-parts.ts';

/** A script that writes a file of src from what a real llama-server says, or with --check compares the two. */
interface Generator {
  readonly name: string;
  readonly script: string;
}

const generators: readonly Generator[] = [{ name: "llama-server's options", script: 'generate-llama-options.ts' }];

function runGenerator(generator: Generator, llamaServer: string, check: boolean): boolean {
  process.stdout.write(`${check ? 'comparing' : 'writing'} ${generator.name}\n`);
  const script = join(import.meta.dirname, generator.script);
  const { status } = spawnSync(process.execPath, [script, ...(check ? ['--check'] : [])], {
    stdio: 'inherit',
    env: { ...process.env, LLAMA_SERVER: llamaServer },
  });
  return status === 0;
}

/**
 * Writes the generated files, or with --check says whether they are up to date. Without a llama-server a check is
 * skipped, and says so, unless CORRAL_REQUIRE names `llama`.
 */
function main(): number {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const required = parseRequired(process.env['CORRAL_REQUIRE']).has('llama');
  const llamaServer = findLlamaServer({ build: required || !values.check });
  if (llamaServer !== undefined) {
    const results = generators.map((generator) => runGenerator(generator, llamaServer, values.check));
    return results.every(Boolean) ? 0 : 1;
  }
  const skipped = generators.map((generator) => generator.name).join(', ');
  process.stderr.write(
    `${required ? 'failed' : 'skipped'}: ${skipped}: no llama-server to compare with; fix: bin/corral llama-server --build, or set LLAMA_SERVER\n`,
  );
  return values.check && !required ? 0 : 1;
}

process.exitCode = main();
