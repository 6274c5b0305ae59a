/** Whether a client that orders something waits until it is done; `undefined`: what it says of that is not understood. */
export function asksToWait(query: string): boolean | undefined {
  const said = new URLSearchParams(query).getAll('wait');
  if (said.length === 0) return false;
  const [value] = said;
  if (said.length > 1 || (value !== 'true' && value !== 'false')) return undefined;
  return value === 'true';
}
