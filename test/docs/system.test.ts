import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { namesIn, namesInCode } from './support/code-names.ts';
import { partOf, readText, sectionOf } from './support/markdown.ts';

const page = readText('docs/SYSTEM.md');
const cluster = sectionOf(page, 'In a cluster');

/** The stories of which each step says who takes it, on one machine and in a cluster. */
const STORIES = new Map([
  ...[
    'Steady state: the model is ready',
    'From zero: the model is not loaded',
    'Drain and stop',
    'To zero: nobody asks',
  ].map((title) => [title, sectionOf(page, title)] as const),
  ...[
    'The edge starts',
    'Steady state, in a cluster',
    'From zero, in a cluster',
    'To zero, in a cluster',
    'Drain and stop, in a cluster',
  ].map((title) => [title, partOf(cluster, title)] as const),
]);

/** The names in all brackets that hold nothing but code. */
const namedIn = (text: string): readonly string[] =>
  [...text.matchAll(/\((`[^`]+`(?:,\s+`[^`]+`)*)\)/gu)].flatMap(([, list = '']) =>
    [...list.matchAll(/`([^`]+)`/gu)].map(([, name = '']) => name),
  );

/** The steps of a story. */
const stepsOf = (story: string): readonly string[] => story.split(/^(?=\d+\. )/mu).slice(1);

describe('docs/SYSTEM.md', () => {
  for (const [title, story] of STORIES) {
    it(`says of each step who takes it: ${title}`, () => {
      const steps = stepsOf(story);
      assert.ok(steps.length > 1);
      assert.deepEqual(
        steps.filter((step) => namedIn(step).length === 0),
        [],
      );
    });
  }

  it('names functions and methods that exist', () => {
    const known = namesInCode();
    const named = [...STORIES.values()].flatMap(namedIn);
    assert.deepEqual(
      named.filter((name) => !known.has(name)),
      [],
    );
  });
});

describe('what code calls things', () => {
  it('is exported functions, and the methods of exported classes', () => {
    const code = [
      'export const ready = (a: A): B => b;',
      'export async function go() {}',
      'function hidden() {}',
      'export class Thing implements Other {',
      '  readonly part = call(',
      '  constructor(a: A) {',
      '    inner(() => {',
      '  async start<T>(a: T): Promise<void> {',
      '  #private(): void {',
      '}',
      'class Hidden {',
      '  lost(): void {',
      '}',
    ].join('\n');
    assert.deepEqual(namesIn(code), ['go', 'ready', 'Thing.start', 'Thing.#private']);
  });
});
