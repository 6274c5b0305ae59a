import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** In seconds: from an answer out of a cache to the longest request that is let live by default. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];

/** What a scrape reads from where it is kept, instead of being told of each change. */
export interface Readings {
  /** Each declared model, and what it has to do now. */
  readonly models: () => Iterable<ModelReading>;
  /** Bytes of bodies of all requests that have ended. */
  readonly bytes: () => { readonly in: number; readonly out: number };
  /** Has the families told what they have not been told yet. */
  readonly catchUp: () => void;
}

export interface ModelReading {
  readonly model: string;
  readonly inFlight: number;
  readonly waiting: number;
}

/** What is counted of each request that has ended. */
export interface EdgeFamilies {
  readonly requests: Counter<'model' | 'route' | 'code'>;
  readonly rejected: Counter<'reason'>;
  readonly upstreamErrors: Counter<'model' | 'kind'>;
  readonly tokens: Counter<'model' | 'direction'>;
  readonly duration: Histogram<'model'>;
  readonly queueWait: Histogram<'model'>;
  readonly firstByte: Histogram<'model'>;
}

/** The metrics of an edge. `model` is the canonical name of a declared model, or empty: all other requests share that value. */
export function createEdgeFamilies(registry: Registry, readings: Readings): EdgeFamilies {
  const [registers, collect] = [[registry], readings.catchUp];
  createGauges(registry, readings.models);
  createByteCounter(registry, readings.bytes);
  return {
    requests: new Counter({
      name: 'corral_requests_total',
      help: 'Requests that have ended, by HTTP status; 499: the client left before the answer.',
      labelNames: ['model', 'route', 'code'],
      registers,
      collect,
    }),
    rejected: new Counter({
      name: 'corral_rejected_total',
      help: 'Requests that ended with an error of Corral itself, by its code.',
      labelNames: ['reason'],
      registers,
    }),
    upstreamErrors: new Counter({
      name: 'corral_upstream_errors_total',
      help: 'Requests that a llama-server failed, whether or not another attempt was answered.',
      labelNames: ['model', 'kind'],
      registers,
    }),
    tokens: new Counter({
      name: 'corral_tokens_total',
      help: 'Tokens of requests that have ended, as the llama-server counted them.',
      labelNames: ['model', 'direction'],
      registers,
      collect,
    }),
    duration: histogram(registry, collect, 'corral_request_duration_seconds', 'From the head of a request to its end.'),
    queueWait: histogram(
      registry,
      collect,
      'corral_queue_wait_seconds',
      'How long requests were held, of those that were.',
    ),
    firstByte: histogram(
      registry,
      collect,
      'corral_time_to_first_byte_seconds',
      "From the head of a request to the first byte of the llama-server's answer.",
    ),
  };
}

const histogram = (registry: Registry, collect: () => void, name: string, help: string): Histogram<'model'> =>
  new Histogram({ name, help, labelNames: ['model'], buckets: BUCKETS, registers: [registry], collect });

function createGauges(registry: Registry, models: Readings['models']): void {
  const gauge = (name: string, help: string, read: (reading: ModelReading) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['model'],
      registers: [registry],
      collect() {
        this.reset();
        for (const reading of models()) this.set({ model: reading.model }, read(reading));
      },
    });
  };
  gauge('corral_requests_in_flight', 'Requests at a llama-server now.', ({ inFlight }) => inFlight);
  gauge('corral_requests_waiting', 'Requests held until their model is ready.', ({ waiting }) => waiting);
}

function createByteCounter(registry: Registry, bytes: Readings['bytes']): void {
  new Counter({
    name: 'corral_bytes_total',
    help: 'Bytes of the bodies of requests that have ended, and of their answers.',
    labelNames: ['direction'],
    registers: [registry],
    collect() {
      const { in: received, out: sent } = bytes();
      this.reset();
      this.inc({ direction: 'in' }, received);
      this.inc({ direction: 'out' }, sent);
    },
  });
}
