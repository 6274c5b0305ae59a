import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { addPresumedMetric } from './presumed-metric.ts';

test('how often an edge was presumed dead is asked at each scrape', async () => {
  const registry = new Registry();
  let presumed = 0;
  addPresumedMetric(registry, () => presumed);
  assert.match(await registry.metrics(), /^corral_operator_presumed_dead_total 0$/mu);
  presumed = 3;
  for (let scrape = 0; scrape < 2; scrape += 1)
    assert.match(await registry.metrics(), /^corral_operator_presumed_dead_total 3$/mu);
});
