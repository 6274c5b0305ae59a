/** An error's message with those of its causes: fetch, for one, says what went wrong only there. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error instanceof AggregateError ? error.errors.map(describeError).join(', ') : error.message;
  return error.cause === undefined ? own : `${own}: ${describeError(error.cause)}`;
}
