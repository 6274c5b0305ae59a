import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/**
 * How often the delay of the event loop is looked at, in milliseconds. Each look wakes the process up; the library's own 10 ms
 * would be a hundred times a second for one that is idle.
 */
const DELAY_RESOLUTION = 50;

/** Metrics of this process, which others may be added to: processor, memory, files, garbage collection, delay of the event loop. */
export function createRegistry(version: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: DELAY_RESOLUTION });
  new Gauge({
    name: 'corral_build_info',
    help: 'The version of Corral; always 1.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1);
  return registry;
}
