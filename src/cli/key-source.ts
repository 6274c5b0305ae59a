import { hash } from 'node:crypto';
import type { Server } from 'node:net';
import { collectKeys, type KeyInputs } from '../api/collect-keys.ts';
import { formatProblem } from '../api/problem.ts';
import { readBytes } from '../api/read-file.ts';
import type { WakeIn } from '../domain/alarm.ts';
import { seconds } from '../domain/units.ts';
import { KeyRing } from '../edge/key-ring.ts';
import type { Log } from '../platform/log.ts';
import type { AccessFlags } from './access-options.ts';
import { isLocal, urlOf } from './listen.ts';

/**
 * How often the files are read again. They are small, and reading them sees every change: also one that a file's time and size
 * do not show, and that of a Secret in a pod, where a link is turned to another folder.
 */
const POLL = seconds(1);

/** What is asked of clients. */
export type KeysInForce =
  /** Nothing. */
  | { readonly kind: 'none' }
  /** One of the keys of the ring, which is kept as the files are. */
  | { readonly kind: 'keys'; readonly ring: KeyRing; readonly flags: AccessFlags; readonly seen: string };

/** Reads the keys that the flags name. Each problem is a sentence or two, with its place. */
export async function openKeys(
  flags: AccessFlags,
): Promise<KeysInForce | { readonly kind: 'wrong'; readonly problems: readonly string[] }> {
  const { keysFile, apiKey = [], apiKeyFile = [] } = flags;
  if (keysFile === undefined && apiKey.length === 0 && apiKeyFile.length === 0) return { kind: 'none' };
  const { inputs, seen } = await look(flags);
  const collected = collectKeys(inputs);
  if (!collected.ok) return { kind: 'wrong', problems: collected.problems.map(formatProblem) };
  return { kind: 'keys', ring: new KeyRing(collected.keys), flags, seen };
}

/** For the options of an edge. */
export const ringOf = (keys: KeysInForce): { readonly keys?: KeyRing } =>
  keys.kind === 'none' ? {} : { keys: keys.ring };

/** What following needs. */
export interface FollowParts {
  readonly log: Log;
  readonly wakeIn: WakeIn;
}

/** Keeps the keys as their files are, until the returned function is called. */
export function followKeys(keys: KeysInForce, parts: FollowParts): () => void {
  if (keys.kind === 'none') return () => undefined;
  const { keysFile, apiKeyFile = [] } = keys.flags;
  return keysFile === undefined && apiKeyFile.length === 0 ? () => undefined : followFiles({ ...keys, ...parts });
}

/** Says so, if there are no keys and others than this machine reach the server. */
export function warnOfOpenDoor({ kind }: KeysInForce, server: Pick<Server, 'address'>, log: Log): void {
  if (kind !== 'none' || isLocal(server)) return;
  log.warn('there are no keys: whoever reaches this port may do everything', { url: urlOf(server) });
}

/** What lies there now, and what it is told from what lay there before: a hash, so that no key is kept in memory. */
interface Look {
  readonly inputs: KeyInputs;
  readonly seen: string;
}

async function look({ keysFile, apiKey = [], apiKeyFile = [] }: AccessFlags): Promise<Look> {
  const [own, ...theirs] = await Promise.all([
    keysFile === undefined ? undefined : readBytes(keysFile),
    ...apiKeyFile.map(readBytes),
  ]);
  const files = [own, ...theirs].map((read) => (read?.ok === true ? hash('sha256', read.file.bytes) : read?.problem));
  const inputs = { keysFile: own, apiKeyFiles: theirs, apiKeys: apiKey };
  return { inputs, seen: JSON.stringify(files) };
}

/** One look after the other: a file that is slow to read is not read twice at once. */
function followFiles({
  log,
  wakeIn,
  ring,
  flags,
  seen: first,
}: FollowParts & Extract<KeysInForce, { kind: 'keys' }>): () => void {
  let seen = first;
  const ending = new AbortController();
  let cancel = (): void => undefined;
  const turn = async (): Promise<void> => {
    const next = await look(flags);
    if (ending.signal.aborted) return;
    if (next.seen !== seen) replaceKeys(ring, next.inputs, log);
    seen = next.seen;
    wait();
  };
  const wait = (): void => {
    cancel = wakeIn(POLL, () => void turn());
  };
  wait();
  return () => {
    ending.abort();
    cancel();
  };
}

/** The door is never left open, and nobody is locked out by a slip: with what is wrong, all stays as it was. */
function replaceKeys(ring: KeyRing, inputs: KeyInputs, log: Log): void {
  try {
    const collected = collectKeys(inputs);
    if (!collected.ok) {
      const problems = collected.problems.map(formatProblem);
      log.error('the keys are wrong or missing, those from before stay in force', { problems });
      return;
    }
    ring.replace(collected.keys);
    log.info('the keys were read again', { keys: collected.keys.length });
  } catch (error) {
    log.error('the keys could not be read, those from before stay in force', { error });
  }
}
