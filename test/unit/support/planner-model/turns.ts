/** Microtasks that wait until they are told to run. */
export interface Turns {
  /** Runs all of them, and those that they leave behind. Throws what one of them throws. */
  run(): void;
}

/**
 * Plays something in which every microtask waits for its turn. So nothing happens between two steps, a step may come before
 * the control loop's turn or after it, and what a turn throws fails the play instead of the process.
 */
export function withTurns(play: (turns: Turns) => void): void {
  const queue: (() => void)[] = [];
  const { queueMicrotask } = globalThis;
  globalThis.queueMicrotask = (task) => {
    queue.push(task);
  };
  try {
    play({
      run: () => {
        for (let task = queue.shift(); task !== undefined; task = queue.shift()) task();
      },
    });
  } finally {
    globalThis.queueMicrotask = queueMicrotask;
  }
}
