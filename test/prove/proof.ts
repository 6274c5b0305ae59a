/** What one kind of trial gave. */
export interface Series {
  /** What was tried. */
  readonly what: string;
  readonly runs: number;
  /** One sentence for each trial that went wrong. */
  readonly failures: readonly string[];
  /** What `timings` says, for instance `an interleaving`. */
  readonly timed: string;
  /** In milliseconds. */
  readonly timings: readonly number[];
}

/** How much to try, and which of all possible trials. */
export interface Extent {
  readonly runs: number;
  readonly seed: number;
}

/** Tries a promise many times. */
export type Proof = (extent: Extent) => Promise<readonly Series[]>;

/** A part of a proof that takes long, which can be tried by itself. */
export interface ProofPart {
  readonly name: string;
  readonly prove: Proof;
}
