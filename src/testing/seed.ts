/** The seed of this run: `CORRAL_SEED`, which `npm test` prints, so that a failure can be seen again; else a new one. */
export function testSeed(): number {
  const given = Number(process.env['CORRAL_SEED']);
  return Number.isSafeInteger(given) ? given : Math.trunc(performance.timeOrigin);
}
