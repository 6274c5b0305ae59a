import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  countCalls,
  countWrites,
  goalsOf,
  mostReads,
  type OperatorFigures,
  type Start,
} from '../bench/operator/operator-report.ts';
import type { AuditEvent } from '../cluster/support/audit-log.ts';

const call = (verb: string, resource: string, apiGroup = 'corral.dev'): AuditEvent => ({
  verb,
  user: { username: 'operator' },
  requestURI: '/',
  objectRef: { apiGroup, resource },
  requestReceivedTimestamp: '2026-01-01T00:00:00Z',
  stageTimestamp: '2026-01-01T00:00:00Z',
});

const start: Start = {
  kind: 'first',
  operating: 1000,
  told: 2000,
  p99: 10,
  max: 20,
  resident: 100,
  cpuSeconds: 1,
  connections: 4,
  statuses: 1000,
};
const renewals = new Map([['update coordination.k8s.io/leases', 60]]);
const well: OperatorFigures = {
  starts: [start],
  quiet: { seconds: 60, cpuSeconds: 0.3, p99: 1, max: 2, connections: 3, resident: 100, calls: renewals },
  reads: new Map([
    ['list corral.dev/modeldeployments', 2],
    ['watch corral.dev/modeldeployments', 1],
  ]),
  alone: [10, 20, 30],
  among: [10, 20, 30],
};

const missed = (figures: OperatorFigures): string[] =>
  goalsOf(figures).flatMap(({ text, figure, isMet }) => (figure !== undefined && isMet(figure) ? [] : [text]));

describe("the report of the operator's bench", () => {
  it('counts calls by verb and kind, and as writes all but reads and renewals of the Lease', () => {
    const events = [call('list', 'modelpools'), call('watch', 'modelpools'), call('list', 'modelpools')];
    const calls = countCalls([
      ...events,
      call('update', 'leases', 'coordination.k8s.io'),
      call('patch', 'modelpools'),
      call('create', 'pods', ''),
      call('get', 'pods', ''),
      { ...call('list', 'modelpools'), requestURI: '/apis/corral.dev/v1alpha1/modelpools?limit=500&continue=x' },
    ]);
    assert.equal(calls.get('list corral.dev/modelpools'), 2, 'the further page of a list is no other list');
    assert.equal(countWrites(calls), 2);
    assert.deepEqual([mostReads(calls, 'list'), mostReads(calls, 'watch')], [2, 1]);
  });

  it('meets every goal with good figures, and misses the one whose figure is bad', () => {
    assert.deepEqual(missed(well), []);
    const bad: readonly (readonly [string, OperatorFigures])[] = [
      ['10 s', { ...well, starts: [start, { ...start, operating: 10_001 }] }],
      ['p99', { ...well, starts: [{ ...start, p99: 51 }, start] }],
      ['200 ms', { ...well, starts: [{ ...start, max: 201 }] }],
      ['MiB', { ...well, starts: [{ ...start, resident: 513 }] }],
      ['nothing written', { ...well, quiet: { ...well.quiet, calls: new Map([['patch /pods', 1]]) } }],
      ['1 % of a core', { ...well, quiet: { ...well.quiet, cpuSeconds: 0.7 } }],
      [
        'listed',
        {
          ...well,
          reads: new Map([
            ['list /pods', 3],
            ['watch /pods', 1],
          ]),
        },
      ],
      ['watched', { ...well, reads: new Map([['watch /pods', 2]]) }],
      ['alone', { ...well, alone: [10, 51, 51] }],
      ['among', { ...well, among: [10, 51, 51] }],
      ['a connection for each kind', { ...well, quiet: { ...well.quiet, connections: 4 } }],
    ];
    for (const [word, figures] of bad) {
      const texts = missed(figures);
      assert.equal(texts.length, 1, word);
      assert.ok(texts.join().includes(word), `${word}: ${texts.join()}`);
    }
  });
});
