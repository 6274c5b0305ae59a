import type { SimulatedEdge } from './simulated-edge.ts';

/** Requests a second of all edges together, and how long each takes once a pod has it, in the middle, in milliseconds. */
export interface Load {
  readonly perSecond: number;
  readonly meanMs: number;
  readonly models: readonly string[];
  /** From 0 up to but not including 1. */
  readonly random: () => number;
}

/** Weights of popularity: the n-th model is asked for 1/n times as often as the first (Zipf). Sums up, ending with 1. */
export function popularity(models: number): readonly number[] {
  const weights = Array.from({ length: models }, (_, index) => 1 / (index + 1));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return weights.map((weight) => (sum += weight / all));
}

/** The index of the first sum that is above a number from 0 to 1. */
export function pick(sums: readonly number[], at: number): number {
  const found = sums.findIndex((sum) => sum > at);
  return found === -1 ? sums.length - 1 : found;
}

/** With this mean, as times between independent events are. */
const exponential = (mean: number, random: () => number): number => -mean * Math.log(1 - random());

/** A load that goes on. */
export interface RunningLoad {
  /** Requests so far. */
  readonly sent: () => number;
  readonly stop: () => void;
}

/** Sends requests to the edges until it is stopped: each to any edge, for a model by its popularity. */
export function startLoad(edges: readonly SimulatedEdge[], { perSecond, meanMs, models, random }: Load): RunningLoad {
  const sums = popularity(models.length);
  let sent = 0;
  let due = performance.now();
  let timer: NodeJS.Timeout | undefined;
  /** Also what was due while this process was busy: else it would ask the less, the more there is to do. */
  const send = (): void => {
    for (; due <= performance.now(); due += exponential(1000 / perSecond, random)) {
      const edge = edges[Math.floor(random() * edges.length)];
      const model = models[pick(sums, random())];
      if (edge !== undefined && model !== undefined) edge.request(model, exponential(meanMs, random));
      sent += 1;
    }
    timer = setTimeout(send, Math.max(0, due - performance.now()));
  };
  send();
  return {
    sent: () => sent,
    stop: () => {
      clearTimeout(timer);
    },
  };
}
