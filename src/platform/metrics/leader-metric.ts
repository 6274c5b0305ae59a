import { Gauge, type Registry } from 'prom-client';

/** Adds the metric that says which operator leads; it is asked at each scrape. */
export function addLeaderMetric(registry: Registry, isLeading: () => boolean): void {
  new Gauge({
    name: 'corral_operator_leader',
    help: '1 in the operator that leads, 0 in one that stands by.',
    registers: [registry],
    collect() {
      this.set(isLeading() ? 1 : 0);
    },
  });
}
