import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from './process-metrics.ts';

test('a process tells of its version, its processor time, its memory and the delay of its event loop', async () => {
  const text = await createRegistry('1.2.3').metrics();
  assert.match(text, /^corral_build_info\{version="1\.2\.3"\} 1$/mu);
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
    'nodejs_gc_duration_seconds',
  ]) {
    assert.match(text, new RegExp(`^# TYPE ${name} `, 'mu'));
  }
});
