/** A module for `node --import` that has a program's wall clock go wrong by so many milliseconds. Its monotonic clock stays. */
export const shiftedClock = (by: number): string =>
  `data:text/javascript,${encodeURIComponent(`
const Real = Date;
globalThis.Date = class extends Real {
  constructor(...args) {
    if (args.length === 0) super(Real.now() + ${by});
    else super(...args);
  }
  static now() {
    return Real.now() + ${by};
  }
};`)}`;

/** A module for `node --import` that keeps the event loop of a program busy for so many milliseconds when it gets SIGUSR2. */
export const stallOnSignal = (milliseconds: number): string =>
  `data:text/javascript,${encodeURIComponent(`
process.on('SIGUSR2', () => {
  const end = performance.now() + ${milliseconds};
  while (performance.now() < end);
});`)}`;
