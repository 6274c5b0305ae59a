import { Registry } from 'prom-client';
import { instant } from '../../src/domain/units.ts';
import { accessLog } from '../../src/edge/access-log.ts';
import { AnswerMeter } from '../../src/edge/answer-meter.ts';
import { createLog } from '../../src/platform/log.ts';
import { EdgeMetrics } from '../../src/platform/metrics/edge-metrics.ts';
import { anEndedRequest } from '../../src/testing/ended-requests.ts';
import { Writable } from 'node:stream';
import { describeMachine, renderTable, spreadOf } from '../support/figures.ts';

/** Requests in one round. */
const REQUESTS = 20_000;
/** Of them, those that end in one turn of the event loop. */
const PER_TURN = 10;
const WARM_UPS = 3;

const now = (): ReturnType<typeof instant> => instant(performance.now());
const USAGE = '"usage":{"completion_tokens":2,"prompt_tokens":7,"total_tokens":9}';
const TIMINGS = '"timings":{"cache_n":0,"prompt_n":7,"prompt_ms":1.5,"predicted_n":2,"predicted_ms":3.25}';
/** As large as a short answer of llama-server. */
const ANSWER = Buffer.from(`{"choices":[{"message":{"content":"${'x'.repeat(300)}"}}],${USAGE},"id":"x",${TIMINGS}}`);

/** What is done once for each request, apart from serving it. */
const STEPS: ReadonlyMap<string, () => () => void> = new Map([
  ['metrics', measuringMetrics],
  ['access log, written to nowhere', measuringLog],
  ['tokens of a whole answer', measuringTokens],
]);

function measuringMetrics(): () => void {
  const metrics = new EdgeMetrics(new Registry(), { models: () => [], isDeclared: () => true, now });
  const request = anEndedRequest({ tokensIn: 7, tokensOut: 2 });
  return () => {
    metrics.ended(request);
  };
}

function measuringLog(): () => void {
  const destination = new Writable({
    write: (_text, _encoding, taken) => {
      taken();
    },
  });
  const log = accessLog(createLog({ pretty: false, level: 'info', destination }));
  const request = anEndedRequest({ tokensIn: 7, tokensOut: 2, keyId: 'team-a', requestId: 'req-1' });
  return () => {
    log.ended(request);
  };
}

function measuringTokens(): () => void {
  return () => {
    const meter = new AnswerMeter(now);
    meter.begin('application/json; charset=utf-8');
    meter.pass(ANSWER);
    meter.end();
    meter.tokens();
  };
}

/** Prints what the view from outside costs for each request, in microseconds of processor time. The steps take turns. */
export async function benchObservers(rounds: number, print: (text: string) => void): Promise<void> {
  print(`${describeMachine()}\n${rounds} rounds of ${REQUESTS} requests each, after ${WARM_UPS} to warm up\n\n`);
  const steps = [...STEPS].map(([name, begin]) => ({ name, step: begin(), times: new Array<number>() }));
  for (let round = 0; round < WARM_UPS; round += 1) for (const { step } of steps) await costOf(step);
  for (let round = 0; round < rounds; round += 1) {
    for (const { step, times } of steps) times.push(await costOf(step));
  }
  const rows = steps.map(({ name, times }) => {
    const { min, median, max } = spreadOf(times);
    return [name, ...[min, median, max].map((cost) => cost.toFixed(2))];
  });
  print(renderTable(['us of processor time for one request', 'min', 'median', 'max'], rows));
}

/** Microseconds of processor time for one call, with what it leaves for later in its turn of the event loop. */
async function costOf(step: () => void): Promise<number> {
  const before = process.cpuUsage();
  for (let request = 1; request <= REQUESTS; request += 1) {
    step();
    if (request % PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / REQUESTS;
}
