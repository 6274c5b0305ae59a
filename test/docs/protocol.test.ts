import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PLANTED } from '../protocol/searches.ts';
import { namesInCode } from './support/code-names.ts';
import { codeIn, readText, rowsOf, sectionOf } from './support/markdown.ts';

const page = readText('docs/protocol.md');
const model = readText('test/protocol/drain.pml');

/** What the model prints of its steps. */
const steps = [...model.matchAll(/printf\("([^"]+)\\n"/gu)].map(([, text = '']) => text);
const nameIn = (step: string): string | undefined => /\[([\w.#]+)\]/u.exec(step)?.[1];
/** What no code of Corral does. */
const SURROUNDINGS = /^(?:API server: |kubelet: |somebody |a write |edge %d is |edge %d obeys only now )/u;

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

describe('docs/protocol.md', () => {
  it('has the steps of the model, each under its name in the code', () => {
    const unnamed = steps.filter((step) => nameIn(step) === undefined && !SURROUNDINGS.test(step));
    assert.deepEqual(unnamed, []);
    const named = sorted(steps.flatMap((step) => nameIn(step) ?? []));
    const known = namesInCode();
    assert.deepEqual(
      named.filter((name) => !known.has(name)),
      [],
    );
    const told = rowsOf(sectionOf(page, 'What is in it')).flatMap(([, , name = '']) => [...codeIn(name)]);
    assert.deepEqual(sorted(told), named);
  });

  it('has the faults that are planted', () => {
    const told = rowsOf(sectionOf(page, 'Faults that are planted')).flatMap(([name = '']) => [...codeIn(name)]);
    assert.deepEqual(
      told,
      PLANTED.map(({ name }) => name),
    );
  });

  it('has what the model asserts', () => {
    const asserted = [...model.matchAll(/assert\(.*\/\* (S\d+): .* \*\/$/gmu)].map(([, rule = '']) => rule);
    assert.deepEqual(sorted(asserted), ['S1', 'S2', 'S3', 'S9']);
    const told = [...sectionOf(page, 'What holds').matchAll(/^- (S\d+): /gmu)].map(([, rule = '']) => rule);
    assert.deepEqual(sorted(told), sorted(asserted));
  });
});
