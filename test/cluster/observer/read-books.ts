import type { Books } from './history.ts';

const SAMPLE = /^(?<name>[a-z_]+)(?:\{[^\n]*\})? (?<value>\S+)$/gmu;

/** Reads the metrics of one edge (Prometheus' text form). Throws where it does not have what has to be there. */
export function readBooks(edge: string, text: string): Books {
  const samples = [...text.matchAll(SAMPLE)].map(({ groups = {} }) => groups);
  if (!samples.some(({ name }) => name === 'corral_build_info')) throw new Error(`no metrics of an edge: ${text.slice(0, 200)}`); // prettier-ignore
  const sum = (wanted: string): number =>
    samples.filter(({ name }) => name === wanted).reduce((total, { value }) => total + Number(value), 0);
  return {
    edge,
    ended: sum('corral_requests_total'),
    measured: sum('corral_request_duration_seconds_count'),
    inFlight: sum('corral_requests_in_flight'),
    waiting: sum('corral_requests_waiting'),
  };
}
