import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '../../src/api/problem.ts';
import { readManifests } from '../../src/api/read-manifests.ts';
import { type CorpusEntry, missingIn, readAccepted, readRefused } from '../support/manifest-corpus.ts';

// What a real API server says of the same objects: test/cluster/manifests.test.ts.

const verdict = ({ text, title }: CorpusEntry): string[] => readManifests(text, title).problems.map(formatProblem);

test('every object that a cluster accepts is accepted', () => {
  const accepted = readAccepted();
  assert.ok(accepted.length >= 50);
  assert.deepEqual(accepted.flatMap(verdict), []);
});

test('every object that a cluster refuses is refused, with the field and the reason', () => {
  const refused = readRefused();
  assert.ok(refused.length >= 150);
  const wrong = refused.flatMap((entry) => {
    const missing = missingIn(entry, verdict(entry).join('\n'));
    return missing.length === 0
      ? []
      : [`${entry.title}: ${missing.join(' and ')} is missing in: ${verdict(entry).join()}`];
  });
  assert.deepEqual(wrong, []);
});

test('every refused object has one fault only, so that it shows that this one is found', () => {
  const many = readRefused().filter((entry) => verdict(entry).length !== 1);
  assert.deepEqual(
    many.map(({ field }) => field),
    [],
  );
});
