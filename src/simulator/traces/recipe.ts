import type { Duration } from '../../domain/units.ts';

/** Lengths in tokens whose logarithms are normally spread. */
export interface Lengths {
  readonly median: number;
  readonly sigma: number;
}

interface Common {
  /** The same seed gives the same trace. */
  readonly seed: number;
  /** How many to make. */
  readonly requests: number;
  /** Requests in a second, on the average over the trace. */
  readonly rate: number;
  /** How much more popular the first models of the table are than the last: the exponent of Zipf's law; 0: all are the same. */
  readonly zipf: number;
}

interface Tokens {
  readonly prompt: Lengths;
  readonly output: Lengths;
}

/** Each request for itself: a Poisson process. */
export interface ZipfRecipe extends Common, Tokens {
  readonly generator: 'zipf';
}

/** People who work with one model for a while: bursts come as a Poisson process, each for one model. */
export interface BurstsRecipe extends Common, Tokens {
  readonly generator: 'bursts';
  /** Requests in a burst, on the average. */
  readonly burst: number;
  /** Between two requests of a burst, on the average. */
  readonly gap: Duration;
}

/** Models whose users sleep at different times. */
export interface DayNightRecipe extends Common, Tokens {
  readonly generator: 'day-night';
  /** Groups of models, dealt in turn, whose days are spread evenly over 24 hours. */
  readonly zones: number;
  /** How much the rate of a zone rises and falls around its mean: from 0, not at all, to 1, down to nothing. */
  readonly depth: number;
}

/** Agents that ask two models in turn, such as one that plans and one that writes code. */
export interface PingPongRecipe extends Common, Tokens {
  readonly generator: 'ping-pong';
  /** Requests of an agent, on the average. */
  readonly steps: number;
  /** From an answer to the next request, on the average. */
  readonly pause: Duration;
}

/** A chat UI that asks a small model for a title after each answer. */
export interface ChatTitlesRecipe extends Common, Tokens {
  readonly generator: 'chat-titles';
  readonly titleModel: string;
  /** Questions of a chat, on the average. */
  readonly turns: number;
  /** From an answer to the next question, on the average. */
  readonly pause: Duration;
}

/** Arrivals of which a public trace does not say whose they are. */
export interface SessionRecipe extends Common {
  /** Requests of one person to one model, on the average; 1: each request is for itself. */
  readonly turns: number;
  /** From an answer to that person's next request, on the average; longer where no request comes so soon. */
  readonly pause: Duration;
}

/** Arrivals and lengths shaped as in the Azure LLM inference traces. */
export interface AzureRecipe extends SessionRecipe {
  readonly generator: 'azure';
  readonly service: 'code' | 'conversation';
}

/** Arrivals and lengths shaped as in BurstGPT. */
export interface BurstGptRecipe extends SessionRecipe {
  readonly generator: 'burstgpt';
}

/** How a trace is made. */
export type Recipe =
  ZipfRecipe | BurstsRecipe | DayNightRecipe | PingPongRecipe | ChatTitlesRecipe | AzureRecipe | BurstGptRecipe;
export type GeneratorName = Recipe['generator'];
