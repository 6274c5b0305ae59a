import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { after, instant, milliseconds, minutes, type Instant } from '../../domain/units.ts';
import { anEndedRequest } from '../../testing/ended-requests.ts';
import type { ModelReading } from './edge-families.ts';
import { EdgeMetrics, KEPT_AFTER } from './edge-metrics.ts';

/** Metrics whose clock and declarations the test sets. */
class Bed {
  readonly registry = new Registry();
  readonly declared = new Set<string>();
  models: readonly ModelReading[] = [];
  now: Instant = instant(0);
  readonly metrics = new EdgeMetrics(this.registry, {
    models: () => this.models,
    isDeclared: (model) => this.declared.has(model),
    now: () => this.now,
  });

  /** The lines of a scrape that begin with this. */
  async lines(name: string): Promise<string[]> {
    return (await this.registry.metrics()).split('\n').filter((line) => line.startsWith(name));
  }

  async series(): Promise<number> {
    return (await this.lines('corral_')).length;
  }
}

test('requests are counted by model, route and status, those without a known model under one value', async () => {
  const bed = new Bed();
  bed.metrics.ended(anEndedRequest());
  bed.metrics.ended(anEndedRequest());
  bed.metrics.ended(anEndedRequest({ status: 499 }));
  bed.metrics.ended(anEndedRequest({ model: undefined, status: 404, code: 'model_not_found', firstByte: undefined }));
  bed.metrics.ended(anEndedRequest({ model: undefined, route: undefined, status: 404, code: 'not_found' }));
  bed.metrics.ended(anEndedRequest({ status: 999 }));
  assert.deepEqual(await bed.lines('corral_requests_total'), [
    'corral_requests_total{model="a",route="/v1/chat/completions",code="200"} 2',
    'corral_requests_total{model="a",route="/v1/chat/completions",code="499"} 1',
    'corral_requests_total{model="a",route="/v1/chat/completions",code="other"} 1',
    'corral_requests_total{model="",route="/v1/chat/completions",code="404"} 1',
    'corral_requests_total{model="",route="",code="404"} 1',
  ]);
  assert.deepEqual(await bed.lines('corral_rejected_total'), [
    'corral_rejected_total{reason="model_not_found"} 1',
    'corral_rejected_total{reason="not_found"} 1',
  ]);
});

test('times are in seconds, and only those are observed that there were', async () => {
  const bed = new Bed();
  const times = { duration: milliseconds(1500), waited: milliseconds(1000), firstByte: milliseconds(1200) };
  bed.metrics.ended(anEndedRequest(times));
  bed.metrics.ended(anEndedRequest({ firstByte: undefined, duration: milliseconds(4) }));
  const sums = async (name: string): Promise<string[]> => [
    ...(await bed.lines(`${name}_sum`)),
    ...(await bed.lines(`${name}_count`)),
  ];
  assert.deepEqual(await sums('corral_request_duration_seconds'), [
    'corral_request_duration_seconds_sum{model="a"} 1.504',
    'corral_request_duration_seconds_count{model="a"} 2',
  ]);
  assert.deepEqual(await sums('corral_queue_wait_seconds'), [
    'corral_queue_wait_seconds_sum{model="a"} 1',
    'corral_queue_wait_seconds_count{model="a"} 1',
  ]);
  assert.deepEqual(await sums('corral_time_to_first_byte_seconds'), [
    'corral_time_to_first_byte_seconds_sum{model="a"} 1.2',
    'corral_time_to_first_byte_seconds_count{model="a"} 1',
  ]);
  const buckets = await bed.lines('corral_request_duration_seconds_bucket');
  assert.equal(buckets[0], 'corral_request_duration_seconds_bucket{le="0.005",model="a"} 1');
  assert.equal(buckets.at(-2), 'corral_request_duration_seconds_bucket{le="1800",model="a"} 2');
});

test('every scrape tells all that came before it, whatever came before the last one', async () => {
  const bed = new Bed();
  const count = async (): Promise<string[]> => [
    ...(await bed.lines('corral_requests_total')),
    ...(await bed.lines('corral_request_duration_seconds_count')),
    ...(await bed.lines('corral_time_to_first_byte_seconds_count')),
    ...(await bed.lines('corral_tokens_total')),
  ];
  let ended = 0;
  for (const more of [1, 2500, 0, 999]) {
    for (let request = 0; request < more; request += 1) bed.metrics.ended(anEndedRequest({ tokensOut: 2 }));
    ended += more;
    assert.deepEqual(await count(), [
      `corral_requests_total{model="a",route="/v1/chat/completions",code="200"} ${ended}`,
      `corral_request_duration_seconds_count{model="a"} ${ended}`,
      `corral_time_to_first_byte_seconds_count{model="a"} ${ended}`,
      `corral_tokens_total{model="a",direction="out"} ${2 * ended}`,
    ]);
  }
});

test('tokens, bytes and failures of llama-servers are added up; what is unknown is no zero', async () => {
  const bed = new Bed();
  bed.metrics.ended(anEndedRequest());
  assert.deepEqual(await bed.lines('corral_tokens_total'), []);
  bed.metrics.ended(anEndedRequest({ tokensIn: 7, tokensOut: 0, upstreamError: 'unreachable' }));
  bed.metrics.ended(anEndedRequest({ tokensIn: 3, upstreamError: 'broken' }));
  assert.deepEqual(await bed.lines('corral_tokens_total'), [
    'corral_tokens_total{model="a",direction="in"} 10',
    'corral_tokens_total{model="a",direction="out"} 0',
  ]);
  assert.deepEqual(await bed.lines('corral_upstream_errors_total'), [
    'corral_upstream_errors_total{model="a",kind="unreachable"} 1',
    'corral_upstream_errors_total{model="a",kind="broken"} 1',
  ]);
  assert.deepEqual(await bed.lines('corral_bytes_total'), [
    'corral_bytes_total{direction="in"} 3600',
    'corral_bytes_total{direction="out"} 1800',
  ]);
});

test('what is in flight and what waits is read at the scrape, for each declared model', async () => {
  const bed = new Bed();
  bed.models = [
    { model: 'a', inFlight: 2, waiting: 0 },
    { model: 'b', inFlight: 0, waiting: 3 },
  ];
  assert.deepEqual(await bed.lines('corral_requests_in_flight'), [
    'corral_requests_in_flight{model="a"} 2',
    'corral_requests_in_flight{model="b"} 0',
  ]);
  bed.models = [{ model: 'b', inFlight: 3, waiting: 0 }];
  assert.deepEqual(await bed.lines('corral_requests_in_flight'), ['corral_requests_in_flight{model="b"} 3']);
  assert.deepEqual(await bed.lines('corral_requests_waiting'), ['corral_requests_waiting{model="b"} 0']);
});

test('the series of a model that is declared no more go some time later, and only then', async () => {
  const bed = new Bed();
  bed.declared.add('a').add('stays');
  const before = await bed.series();
  bed.metrics.ended(anEndedRequest({ model: 'stays' }));
  const withOne = await bed.series();
  const all = { waited: milliseconds(1), tokensIn: 1, tokensOut: 1, upstreamError: 'broken' } as const;
  bed.metrics.ended(anEndedRequest({ model: 'a', ...all }));
  assert.ok(withOne > before && (await bed.series()) > withOne);
  const withTwo = await bed.series();
  bed.declared.delete('a');
  bed.now = after(bed.now, minutes(1));
  assert.equal(await bed.series(), withTwo, 'it has only just been seen to be gone');
  bed.now = after(bed.now, milliseconds(KEPT_AFTER - 1));
  assert.equal(await bed.series(), withTwo);
  bed.now = after(bed.now, minutes(1));
  assert.equal(await bed.series(), withOne);
  bed.metrics.ended(anEndedRequest({ model: 'a' }));
  assert.deepEqual(await bed.lines('corral_request_duration_seconds_count{model="a"}'), [
    'corral_request_duration_seconds_count{model="a"} 1',
  ]);
});

test('a model that is declared again in time keeps its series', async () => {
  const bed = new Bed();
  bed.metrics.ended(anEndedRequest({ model: 'a' }));
  for (const isDeclared of [false, true, false]) {
    if (isDeclared) bed.declared.add('a');
    else bed.declared.delete('a');
    bed.now = after(bed.now, milliseconds(KEPT_AFTER - 1));
    assert.equal((await bed.lines('corral_requests_total{model="a"')).length, 1);
  }
});

test('10,000 models that were declared, asked and removed one after the other leave nothing, also where nobody scrapes', async () => {
  const bed = new Bed();
  for (let number = 0; number < 10_000; number += 1) {
    const model = `model-${number}`;
    bed.declared.add(model);
    bed.metrics.ended(anEndedRequest({ model, tokensIn: 1 }));
    bed.declared.delete(model);
    bed.now = after(bed.now, minutes(1));
  }
  const kept = (await bed.lines('corral_requests_total')).length;
  assert.ok(kept > 0 && kept <= 20, `${kept} models have series`);
});
