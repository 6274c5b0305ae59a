import type { Duration } from '../../domain/units.ts';
import type { Pool } from '../../domain/pool.ts';
import type { SimulatedModel } from '../scenario.ts';

/** A model with how fast it is, which turns a request's tokens into the time that it takes. */
export interface TableModel extends SimulatedModel {
  /** Tokens of a prompt that are read in a second. */
  readonly promptRate: number;
  /** Tokens of an answer that are written in a second. */
  readonly outputRate: number;
}

/** What a trace is run on: a scenario without its trace. */
export interface ModelTable {
  readonly pool: Pool;
  readonly models: readonly TableModel[];
  readonly maxWait: Duration;
}

/** How long a request of so many tokens takes at a replica, in milliseconds. */
export const durationOf = (model: TableModel, promptTokens: number, outputTokens: number): number =>
  (promptTokens * 1000) / model.promptRate + (outputTokens * 1000) / model.outputRate;
