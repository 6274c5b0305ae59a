import { Counter, type Registry } from 'prom-client';

/** Adds the metric that says how often an edge was presumed dead; `count` is asked at each scrape, and never goes back. */
export function addPresumedMetric(registry: Registry, count: () => number): void {
  new Counter({
    name: 'corral_operator_presumed_dead_total',
    help: 'Edges without whose word a pod was stopped, once for each pod: they were silent, and its slots idle.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(count());
    },
  });
}
