import type { Duration } from '../../../domain/units.ts';
import type { LockSettings } from './cache-lock.ts';
import type { CheckSettings } from './check-llama-server.ts';
import type { LlamaServer, LlamaServerProgress } from './llama-server.ts';
import type { RunCommand } from './run-command.ts';
import { describeWorker } from './server-cache.ts';

/** How long each part of finding, fetching and building a llama-server may take at most. */
export interface Limits {
  /** Until a candidate has answered `--version`. */
  readonly version: Duration;
  readonly download: Duration;
  /** Listing or unpacking an archive, cloning the source. */
  readonly unpack: Duration;
  readonly configure: Duration;
  readonly compile: Duration;
  /** For another process that fetches or builds: longer than everything it may do. */
  readonly wait: Duration;
  /** Between two looks at whether that process is done. */
  readonly poll: Duration;
}

/** What all ways to a llama-server have in common: where to look, whom to tell, when to give up. */
export interface Search {
  readonly env: NodeJS.ProcessEnv;
  /** The folder of fetched and built llama-servers. */
  readonly cache: string;
  readonly limits: Limits;
  readonly signal: AbortSignal;
  readonly report: (progress: LlamaServerProgress) => void;
  readonly run: RunCommand;
}

/** What a way led to: a server, or the reason why not and what the user can do about it. */
export type Outcome =
  | { readonly kind: 'found'; readonly server: LlamaServer }
  /** `unusable`: something was there, and is of no use. */
  | { readonly kind: 'absent' | 'unusable'; readonly reason: string; readonly fix: string };

export function checkSettings(search: Search): CheckSettings {
  return { env: search.env, timeout: search.limits.version, signal: search.signal };
}

/** `purpose` completes the sentence "waiting …". */
export function lockSettings(search: Search, purpose: string): LockSettings {
  return {
    signal: search.signal,
    wait: search.limits.wait,
    poll: search.limits.poll,
    onWait: async () => {
      const holder = await describeWorker(search.cache);
      search.report({ kind: 'waiting', reason: `waiting ${purpose} until ${holder} is done; its result will be used` });
    },
  };
}
