import { execFile } from 'node:child_process';
import type { ExecException } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { findEnvRefusal } from '../../../api/reserved-options.ts';
import type { Duration } from '../../../domain/units.ts';
import { LlamaServerError, throwIfInterrupted } from './llama-server.ts';

/** What a look at a candidate showed. `reason` completes the sentence "PATH …". */
export type Verdict =
  | { readonly kind: 'usable'; readonly version: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unusable'; readonly reason: string };

export interface CheckSettings {
  readonly env: NodeJS.ProcessEnv;
  readonly timeout: Duration;
  readonly signal: AbortSignal;
}

/**
 * Believes a llama-server only when it has answered `--version` in time: a file for another machine, or one whose
 * libraries are missing, is found out here and not by the first request.
 * Throws `E_LLAMA_SERVER_INTERRUPTED` when the signal fires, and `E_LLAMA_SERVER_ENVIRONMENT` when it is a variable of the
 * environment that it does not take: no other llama-server would be of use then.
 */
export async function checkLlamaServer(path: string, settings: CheckSettings): Promise<Verdict> {
  const file = await checkFile(path);
  if (file.kind !== 'executable') return file;
  const variables = optionVariables(settings.env);
  const plain = Object.entries(settings.env).filter(([name]) => !name.startsWith(OPTION_VARIABLE));
  const verdict = await askVersion(path, { ...settings, env: Object.fromEntries(plain) });
  if (verdict.kind !== 'usable' || variables.length === 0) return verdict;
  await expectTaken(path, variables, { ...settings, env: Object.fromEntries([...plain, ...variables]) });
  return verdict;
}

/** llama-server reads its options from such variables before it looks at its arguments, `--version` included. */
const OPTION_VARIABLE = 'LLAMA_ARG_';

type Variable = readonly [name: string, value: string | undefined];

/** Those that reach every model's llama-server. */
const optionVariables = (env: NodeJS.ProcessEnv): readonly Variable[] =>
  Object.entries(env).filter(([name]) => name.startsWith(OPTION_VARIABLE) && findEnvRefusal(name) === undefined);

/** With a wrong value every load would fail, hours later perhaps. Only an exit code counts: a slow answer is no word about a value. */
async function expectTaken(path: string, variables: readonly Variable[], settings: CheckSettings): Promise<void> {
  const { error, output } = await execute(path, settings);
  throwIfInterrupted(settings.signal);
  if (typeof error?.code !== 'number') return;
  const said = /^.*environment variable.*$/mu.exec(output)?.[0] ?? output;
  const names = variables.map(([name]) => name).join(', ');
  const fault = `${path} answers --version without ${names} in its environment, and with ${variables.length === 1 ? 'it' : 'them'} ends with exit code ${error.code}`; // prettier-ignore
  const fix = `Correct the variable's value, or unset it: ${path} --help tells what it takes`;
  throw new LlamaServerError('E_LLAMA_SERVER_ENVIRONMENT', `${fault}${lastLine(said)}. ${fix}`);
}

async function checkFile(
  path: string,
): Promise<{ readonly kind: 'executable' } | Exclude<Verdict, { kind: 'usable' }>> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return { kind: 'unusable', reason: 'is not a file' };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'absent' };
    return { kind: 'unusable', reason: `cannot be read (${error instanceof Error ? error.message : String(error)})` };
  }
  try {
    await access(path, constants.X_OK);
    return { kind: 'executable' };
  } catch {
    return { kind: 'unusable', reason: `is not executable (chmod +x ${path})` };
  }
}

/** llama-server writes its version to stderr while another thread logs there: it may stand in the middle of a log line, which begins with the time. */
const VERSION = /^(?:\d[\d.]* .*?)?version:[ \t]*(\S.*)$/mu;

async function askVersion(path: string, settings: CheckSettings): Promise<Verdict> {
  throwIfInterrupted(settings.signal);
  const { error, output } = await execute(path, settings);
  throwIfInterrupted(settings.signal);
  if (error !== null) return { kind: 'unusable', reason: explain(error, output, settings.timeout) };
  const version = VERSION.exec(output)?.[1];
  if (version === undefined) {
    return { kind: 'unusable', reason: 'is no llama-server: its answer to --version holds no line "version: …"' };
  }
  return { kind: 'usable', version: version.trimEnd() };
}

interface Execution {
  readonly error: ExecException | null;
  /** stdout, then stderr. */
  readonly output: string;
}

async function execute(path: string, { env, timeout, signal }: CheckSettings): Promise<Execution> {
  return new Promise((resolve) => {
    execFile(
      path,
      ['--version'],
      { env, timeout, signal, killSignal: 'SIGKILL', maxBuffer: 256 * 1024 },
      (error, stdout, stderr) => {
        resolve({ error, output: `${stdout}\n${stderr}` });
      },
    );
  });
}

function explain(error: ExecException, output: string, timeout: Duration): string {
  const said = lastLine(output);
  if (typeof error.code === 'number') return `answered --version with exit code ${error.code}${said}`;
  if (typeof error.code === 'string') return `cannot be run (${error.code}: is it a program for this machine?)`;
  if (error.killed === true) return `did not answer --version within ${timeout / 1000} s`;
  return `was ended by ${error.signal ?? 'something unknown'} when asked for --version${said}`;
}

function lastLine(output: string): string {
  const line = output.trimEnd().split('\n').at(-1);
  return line === undefined || line === '' ? '' : `: ${line.replaceAll(/\p{Cc}/gu, ' ').trim()}`;
}
