import type { Random } from './random.ts';
import type { SessionRecipe } from './recipe.ts';
import { drawByZipf, type Draw } from './zipf.ts';

interface Session {
  readonly model: number;
  /** When its next request is due. */
  due: number;
  /** Requests to come. */
  left: number;
}

/**
 * Says which model the next request is for, where arrivals are given, and do not say it: that of the session that is due, or else of
 * a new one. So the arrivals stay as they are, and people stay with a model for a while.
 */
export class Sessions {
  readonly #recipe: SessionRecipe;
  readonly #drawModel: Draw;
  readonly #random: Random;
  #open: Session[] = [];

  constructor(recipe: SessionRecipe, models: number, random: Random) {
    this.#recipe = recipe;
    this.#drawModel = drawByZipf(models, recipe.zipf);
    this.#random = random;
  }

  /** The model of a request at this time, which takes as long as `durationOn` says for it. Times must not fall. */
  modelAt(at: number, durationOn: (model: number) => number): number {
    const session = this.#findDue(at) ?? this.#begin();
    session.left -= 1;
    session.due = at + durationOn(session.model) + this.#random.exponential(this.#recipe.pause);
    if (session.left === 0) this.#open = this.#open.filter((one) => one !== session);
    return session.model;
  }

  /** The one that is due the longest. */
  #findDue(at: number): Session | undefined {
    let earliest: Session | undefined;
    for (const session of this.#open) {
      if (session.due <= at && (earliest === undefined || session.due < earliest.due)) earliest = session;
    }
    return earliest;
  }

  #begin(): Session {
    const session = { model: this.#drawModel(this.#random), due: 0, left: this.#random.geometric(this.#recipe.turns) };
    this.#open.push(session);
    return session;
  }
}
