import type { Cleanup } from '../../support/temp-folder.ts';
import { askStub, newAgent } from './ask-stub.ts';

/** Asks models through edges, one thing at a time. */
export class Questions {
  readonly #agent = newAgent();
  readonly #name: string;
  #asked = 0;

  /** `name`: of whoever asks, and nobody else. */
  constructor(t: Cleanup, name: string) {
    this.#name = name;
    t.after(async () => this.#agent.destroy());
  }

  /** Rejects if the answer is not there to its last byte. `tokens`: a twentieth of a second each. */
  async ask(edge: string, model: string, tokens = 1): Promise<void> {
    this.#asked += 1;
    const question = { id: `${this.#name}-${this.#asked}`, model, stream: this.#asked % 2 === 0, tokens, pause: 50 };
    const { fault } = await askStub(this.#agent, edge, question);
    if (fault !== undefined) throw new Error(`${edge}: ${question.id} ${model}: ${fault}`);
  }
}
