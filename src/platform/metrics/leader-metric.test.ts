import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { addLeaderMetric } from './leader-metric.ts';

test('whether an operator leads is asked at each scrape', async () => {
  const registry = new Registry();
  let isLeading = false;
  addLeaderMetric(registry, () => isLeading);
  assert.match(await registry.metrics(), /^corral_operator_leader 0$/mu);
  isLeading = true;
  assert.match(await registry.metrics(), /^corral_operator_leader 1$/mu);
});
