/** What one look at one contestant took, in milliseconds by what was measured. */
export type Round = ReadonlyMap<string, number>;

/** One way to serve two models where there is room for one. */
export interface Contestant {
  readonly name: string;
  /** Begins and ends with nothing loaded. */
  round(): Promise<Round>;
}

/** Two models, and the llama-server that runs them. */
export interface Arena {
  readonly llamaServer: string;
  /** Holds a.gguf and b.gguf. */
  readonly folder: string;
}

/** From the request to the first byte of its answer, nothing loaded before. */
export const COLD = 'cold';
/** The same while the other model is loaded and idle. */
export const SWAP = 'swap';
/** The same while the model itself is loaded. */
export const WARM = 'warm';
