import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowsNamespace } from './allows-namespace.ts';
import type { AllowedNamespaces } from './decode-objects.ts';

type Selector = NonNullable<AllowedNamespaces['selector']>;

const PROD = new Map([
  ['env', 'prod'],
  ['team', 'a'],
]);
const selects = (selector: Selector, labels: ReadonlyMap<string, string> | undefined = PROD): boolean =>
  allowsNamespace({ from: 'Selector', selector }, labels);
const requires = (operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', key: string, values?: string[]): boolean =>
  selects({ matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }] });

test('a selector selects as everywhere in Kubernetes', () => {
  assert.deepEqual([requires('In', 'env', ['prod', 'test']), requires('In', 'env', ['test'])], [true, false]);
  assert.deepEqual([requires('NotIn', 'env', ['prod']), requires('NotIn', 'env', ['test'])], [false, true]);
  assert.deepEqual([requires('In', 'x', ['']), requires('NotIn', 'x', [''])], [false, true], 'a missing label');
  assert.deepEqual([requires('Exists', 'env'), requires('Exists', 'x')], [true, false]);
  assert.deepEqual([requires('DoesNotExist', 'env'), requires('DoesNotExist', 'x')], [false, true]);
  const both: Selector = {
    matchLabels: { env: 'prod' },
    matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }],
  };
  assert.equal(selects(both), false, 'all requirements must hold');
  assert.equal(selects({}), true, 'nothing is required');
});

test('a namespace that is not known is in no selection, and unless told otherwise all are allowed', () => {
  assert.equal(selects({}, new Map()), true);
  assert.equal(allowsNamespace({ from: 'Selector', selector: {} }, undefined), false);
  assert.equal(allowsNamespace({}, undefined), true);
  assert.equal(allowsNamespace({ from: 'None' }, PROD), false);
});
