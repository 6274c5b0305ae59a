/** Where a llama-server was found, in the order in which the places are tried. */
export type How = 'option' | 'environment' | 'path' | 'cache' | 'archive' | 'build';

/** A llama-server that has answered `--version`. */
export interface LlamaServer {
  /** Absolute. */
  readonly path: string;
  /** What it said of itself, for instance `0.5.0-dev (build 1, commit de3ff81)`. */
  readonly version: string;
  readonly how: How;
}

/** What happens while a llama-server is looked for, fetched or built: for the person who waits. */
export type LlamaServerProgress =
  /** Something was there but is of no use; the search goes on. */
  | { readonly kind: 'unusable'; readonly how: How; readonly reason: string }
  /** Another process is at the same work; its result will be used. */
  | { readonly kind: 'waiting'; readonly reason: string }
  | { readonly kind: 'step'; readonly text: string }
  /** How much of the current step is done, 0 to 100. */
  | { readonly kind: 'percent'; readonly percent: number };

export type LlamaServerErrorCode =
  /** The one that the user named cannot be used. */
  | 'E_LLAMA_SERVER_UNUSABLE'
  /** The prebuilt archive that the user configured cannot be used. */
  | 'E_LLAMA_SERVER_ARCHIVE'
  | 'E_LLAMA_SERVER_NOT_FOUND'
  /** llama-server does not take an option that the environment sets. */
  | 'E_LLAMA_SERVER_ENVIRONMENT'
  /** The caller's signal ended the search. */
  | 'E_LLAMA_SERVER_INTERRUPTED';

/** There is no llama-server to use. The message is complete: what was wrong, where, and how to fix it. */
export class LlamaServerError extends Error {
  readonly code: LlamaServerErrorCode;
  constructor(code: LlamaServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LlamaServerError';
    this.code = code;
  }
}

/** Throws `E_LLAMA_SERVER_INTERRUPTED` when the caller no longer wants an answer. */
export function throwIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new LlamaServerError('E_LLAMA_SERVER_INTERRUPTED', 'interrupted: nothing was kept');
}
