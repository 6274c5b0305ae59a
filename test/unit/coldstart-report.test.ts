import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawTimeLine, renderColdStartGoals, renderTimeLines } from '../bench/coldstart/time-line-report.ts';
import { STEPS, timeLineOf, type Seen, type TimeLine } from '../bench/coldstart/time-line.ts';
import type { AuditEvent } from '../cluster/support/audit-log.ts';

const SECOND = Date.parse('2026-01-01T00:00:00Z');
const at = (ms: number): string => `2026-01-01T00:00:00.${String(ms * 1000).padStart(6, '0')}Z`;

interface Call {
  readonly who: 'edge' | 'operator' | 'scheduler';
  readonly verb: string;
  readonly ref: NonNullable<AuditEvent['objectRef']>;
  /** Milliseconds from the second on: when it came, and when it was answered. */
  readonly times: readonly [number, number];
  readonly uri?: string;
  readonly code?: number;
}

const call = ({ who, verb, ref, times: [came, done], uri = '/', code = 201 }: Call): AuditEvent => ({
  verb,
  user: {
    username: who === 'scheduler' ? 'system:kube-scheduler' : `system:serviceaccount:corral-system:corral-${who}`,
  },
  requestURI: uri,
  requestReceivedTimestamp: at(came),
  stageTimestamp: at(done),
  objectRef: ref,
  responseStatus: { code },
  ...(verb === 'create' && ref.name === undefined ? { responseObject: { metadata: { name: 'p' } } } : {}),
});

const owner = { resource: 'modeldeployments', name: 'cold' };
const report: Call = { who: 'edge', verb: 'update', ref: { resource: 'edgereports', name: 'e' }, times: [11, 12.5] };
const creation: Call = { who: 'operator', verb: 'create', ref: { resource: 'pods' }, times: [20, 25] };
const binding: Call = {
  who: 'scheduler',
  verb: 'create',
  ref: { resource: 'pods', subresource: 'binding', name: 'p' },
  times: [28, 30],
};
const CALLS: readonly Call[] = [
  { ...report, times: [3, 4] },
  { who: 'operator', verb: 'get', ref: owner, times: [5, 6] },
  report,
  { who: 'operator', verb: 'get', ref: { ...owner, name: 'other' }, times: [13, 14] },
  { who: 'operator', verb: 'get', ref: owner, times: [15, 16] },
  { ...creation, uri: '/pods?dryRun=All', times: [17, 18] },
  { ...creation, code: 409, times: [18, 19] },
  creation,
  binding,
];
const seen: Seen = {
  deployment: 'cold',
  pod: 'p',
  held: SECOND + 10,
  started: SECOND + 500,
  ready: SECOND + 600,
  firstByte: SECOND + 640,
};

const line = (ms: readonly number[]): TimeLine => {
  const [held = 0, reported = 0, planned = 0, created = 0, scheduled = 0, started = 0, ready = 0, first = 0] = ms;
  return { held, reported, planned, created, scheduled, started, ready, 'first byte': first };
};
const LINES = [line([0, 5, 6, 149, 160, 500, 600, 651]), line([1000, 1005, 1006, 1151, 1200, 1300, 1400, 1452])];

describe('the time line of a cold start', () => {
  it('takes each step from the first call or sight of it after the request', () => {
    const found = timeLineOf(CALLS.map(call), seen);
    const times = STEPS.map((step) => Math.round((found[step] - SECOND) * 1000) / 1000);
    assert.deepEqual(times, [10, 12.5, 15, 25, 30, 500, 600, 640]);
  });

  it('is none where a step is missing', () => {
    for (const missing of [report, creation, binding]) {
      const log = CALLS.filter((one) => one !== missing).map(call);
      assert.throws(() => timeLineOf(log, seen), /has logged nothing of a pod that is/u);
    }
  });

  it('is told as times since the request and since the step before', () => {
    const table = renderTimeLines(LINES);
    assert.match(
      table,
      /^\| created +\| +corral \| +149\.0 \| +151\.0 \| +151\.0 \| +143\.0 \| +145\.0 \| +145\.0 \|$/mu,
    );
    assert.equal(table.trim().split('\n').length, STEPS.length + 2);
  });

  it('is judged by the median, one goal each', () => {
    const [first, second] = renderColdStartGoals(LINES).trim().split('\n');
    assert.match(String(first), /: met \(149/u);
    assert.match(String(second), /: MISSED \(51/u);
  });

  it('is drawn with a bar for each step that takes time', () => {
    const picture = drawTimeLine(LINES);
    assert.equal(picture.match(/<rect /gu)?.length, STEPS.length);
    for (const step of STEPS.slice(1)) assert.ok(picture.includes(`>${step}</text>`), step);
  });
});
