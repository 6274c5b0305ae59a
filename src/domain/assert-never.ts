/** Makes the compiler refuse a switch that misses a case; throws if one slips through at run time. */
export function assertNever(value: never): never {
  throw new Error(`unexpected case ${JSON.stringify(value)}`);
}
