import { get } from 'node:http';
import { milliseconds, type Duration } from '../../domain/units.ts';
import type { Endpoint } from '../../domain/replica.ts';

/** A probe that has not been answered after this long is given up, and another one is sent. */
const PROBE_TIMEOUT = milliseconds(2_000);

/**
 * Whether llama-server answers `/health` with 200: its model is loaded. It answers 503 while it loads. The path holds
 * the unguessable prefix, so nothing else on that port can answer for it.
 */
export async function isHealthy({ origin, prefix }: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(`${origin}${prefix}/health`, { agent: false, timeout: PROBE_TIMEOUT }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => {
      resolve(false);
    });
  });
}

/**
 * How long to wait before the next probe. Small models are ready in 30 ms, so it begins at once; a large one loads for
 * minutes, where a tenth of a second does not matter.
 */
export function probeInterval(loadingFor: Duration): Duration {
  if (loadingFor < 2_000) return milliseconds(5);
  return milliseconds(loadingFor < 20_000 ? 25 : 100);
}
