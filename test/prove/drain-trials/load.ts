import { setTimeout as delay } from 'node:timers/promises';
import { randomFrom, type Random } from '../../../src/testing/hostile-bodies.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import { askStub, newAgent } from './ask-stub.ts';
import type { Question } from './stub-answer.ts';

/** Where a client may send its next request; `undefined`: nowhere now. */
export type Door = () => string | undefined;

/** A request that did not come back as it should. */
export interface Fault {
  /** Of the edge. */
  readonly url: string;
  readonly what: string;
  readonly model: string;
  /** When it was asked, on the clock of `performance`. */
  readonly began: number;
}

/** A whole answer. */
export interface Whole {
  /** Of the edge. */
  readonly url: string;
  readonly model: string;
  /** On the clock of `performance`. */
  readonly began: number;
  readonly ended: number;
  /** For how long the edge held it, in milliseconds; 0: it did not. */
  readonly held: number;
}

/** What a client asks next, and for how long it rests after the answer, in milliseconds. */
export interface Turn {
  readonly question: Question;
  readonly rest: number;
}

/** `client`: its number. `id`: of the question, which no other one has. */
export type Draw = (random: Random, client: number, id: string) => Turn;

export interface LoadParts {
  readonly draw: Draw;
  /** One for each client: which edges it uses. */
  readonly doors: readonly Door[];
  readonly seed: number;
  /** Whether this may happen to a request of an edge at the moment; without it, nothing may. */
  readonly isExcused?: (fault: Fault) => boolean;
}

const NO_DOOR_MS = 20;

/** Clients that ask one thing after the other until they are stopped, and compare each answer to its last byte. */
export class Load {
  readonly #parts: LoadParts;
  readonly #agent = newAgent();
  readonly #running: Promise<unknown>;
  #isOver = false;
  streams = 0;
  /** Faults that were excused. */
  excused = 0;
  readonly faults: Fault[] = [];
  /** Of the requests that were held: for how long, in milliseconds. */
  readonly waits: number[] = [];
  /** Of the answers that are no streams: how long they took, in milliseconds. */
  readonly timings: number[] = [];
  readonly #wholes: Whole[] = [];

  constructor(t: Cleanup, parts: LoadParts) {
    this.#parts = parts;
    this.#running = Promise.all(parts.doors.map(async (door, index) => this.#beClient(door, index)));
    t.after(async () => {
      this.#isOver = true;
      await this.#agent.destroy();
      await this.#running;
    });
  }

  /** Those that are no streams. */
  get answers(): number {
    return this.timings.length;
  }

  /** How many whole answers there were so far. */
  get wholes(): number {
    return this.#wholes.length;
  }

  /** How many of them came from an edge. */
  wholesOf(url: string): number {
    return this.countWholes((one) => one.url === url);
  }

  /** Of how many of them that is so. */
  countWholes(isSo: (whole: Whole) => boolean): number {
    return this.#wholes.filter(isSo).length;
  }

  /** Resolves when all that was asked is answered. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #beClient(door: Door, index: number): Promise<void> {
    const random = randomFrom(this.#parts.seed + index);
    for (let count = 0; !this.#isOver; count += 1) {
      const url = door();
      if (url === undefined) {
        await delay(NO_DOOR_MS);
        continue;
      }
      const { question, rest } = this.#parts.draw(random, index, `client-${index}-${count}`);
      await this.#ask(url, question);
      if (rest > 0) await delay(rest);
    }
  }

  async #ask(url: string, question: Question): Promise<void> {
    const began = performance.now();
    const { held, fault } = await askStub(this.#agent, url, question);
    const ended = performance.now();
    const { id, model, stream } = question;
    if (held > 0) this.waits.push(held);
    if (fault !== undefined) {
      this.#note({ url, what: `${id} ${model}: ${fault}`, model, began });
      return;
    }
    this.#wholes.push({ url, model, began, ended, held });
    if (stream) this.streams += 1;
    else this.timings.push(ended - began);
  }

  #note(fault: Fault): void {
    if (this.#parts.isExcused?.(fault) === true) this.excused += 1;
    else this.faults.push(fault);
  }
}

/** One of some things, by chance. Throws if there are none. */
export function oneOf<T>(things: readonly T[], random: Random): T {
  const thing = things[random(things.length)];
  if (thing === undefined) throw new Error('there is nothing to choose from');
  return thing;
}

/** Any model, two streams to one other answer, each within half a second, and no rest. */
export const drawAny =
  (models: readonly string[]): Draw =>
  (random, _client, id) => ({
    question: {
      id,
      model: oneOf(models, random),
      stream: random(3) > 0,
      tokens: 1 + random(10),
      pause: 1 + random(40),
    },
    rest: 0,
  });
