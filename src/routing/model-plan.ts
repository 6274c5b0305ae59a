/** What would become of a request for a model if it came now, as JSON: the answer to GET /models/plan. */
export type ModelPlan = PlannedModel & PlannedOutcome;

export interface PlannedModel {
  /** The canonical name, also where an alias was asked for. */
  readonly model: string;
  readonly pool: string;
}

/** `message` is one sentence for people, without a full stop. */
export type PlannedOutcome = (Goes | Starts | Waits) & { readonly message: string };

/** `returns`: it is leaving, and its drain would be taken back. */
interface Goes {
  readonly outcome: 'ready' | 'loading' | 'returns';
}

interface Starts {
  readonly outcome: 'starts';
  readonly bin: string;
}

/** `refused`: waiting would end by nothing that is about to happen, and a request is answered with an error at once. */
interface Waits {
  readonly outcome: 'waits' | 'refused';
  /** One word of the planner's closed list. */
  readonly reason: string;
  /** Its place among those of its pool that wait for room, the next one 1. */
  readonly position?: number;
  /** Whole seconds from now: nothing changes by itself before. */
  readonly until_seconds?: number;
  /** The models that `reason` is about. One that is declared no more has no name, and is missing; so is one that is not seen. */
  readonly holders: readonly string[];
  /** Those that would leave for its sake. */
  readonly leaving: readonly PlannedLeaver[];
}

export interface PlannedLeaver {
  /** Missing: it is declared no more, or not seen by whoever asks. */
  readonly model?: string;
  /** Missing: its model is not seen by whoever asks. */
  readonly replica?: string;
  readonly cause: string;
  /** Whole seconds since its last request ended; missing: it is in use, or nobody knows. */
  readonly idle_seconds?: number;
}
