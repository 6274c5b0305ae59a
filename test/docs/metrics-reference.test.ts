import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { instant } from '../../src/domain/units.ts';
import { EdgeMetrics } from '../../src/platform/metrics/edge-metrics.ts';
import { addLeaderMetric } from '../../src/platform/metrics/leader-metric.ts';
import { addPresumedMetric } from '../../src/platform/metrics/presumed-metric.ts';
import { createRegistry } from '../../src/platform/metrics/process-metrics.ts';
import { blocksOf, codeIn, readText, rowsOf, sectionOf } from './support/markdown.ts';
import { sorted } from './support/reference.ts';

const document = readText('docs/metrics.md');

/** What an edge has, or a process without one. */
function registered(withEdge: boolean): ReturnType<ReturnType<typeof createRegistry>['getMetricsAsArray']> {
  const registry = createRegistry('0.0.0');
  const sight = { models: () => [], isDeclared: () => true, now: () => instant(0) };
  const before = new Set(registry.getMetricsAsArray());
  if (withEdge) new EdgeMetrics(registry, sight);
  return registry.getMetricsAsArray().filter((metric) => !withEdge || !before.has(metric));
}

/** What an operator has beside a process. */
function ofOperator(): ReturnType<typeof registered> {
  const registry = createRegistry('0.0.0');
  const before = new Set(registry.getMetricsAsArray());
  addLeaderMetric(registry, () => true);
  addPresumedMetric(registry, () => 0);
  return registry.getMetricsAsArray().filter((metric) => !before.has(metric));
}

/** Name, type and labels, as prom-client keeps them. */
const shapeOf = (metric: object): string => {
  const { name, type, labelNames } = metric as { name: string; type: string; labelNames: readonly string[] };
  return `${name} ${type} ${labelNames.join(' ')}`.trim();
};

describe('docs/metrics.md', () => {
  for (const [section, metrics, least] of [
    ['Of the edge', registered(true), 10],
    ['Of the operator', ofOperator(), 2],
  ] as const) {
    it(`has each metric with its type and its labels, and no other: ${section}`, () => {
      const rows = rowsOf(sectionOf(document, section));
      const documented = rows.map(([name = '', type = '', labels = '']) =>
        [name, type, ...codeIn(labels)].join(' ').replaceAll('`', '').trim(),
      );
      const shapes = metrics.map(shapeOf);
      assert.ok(shapes.length >= least);
      assert.deepEqual(sorted(documented), sorted(shapes));
    });
  }

  it('has each metric of a process, and no other', () => {
    const code = codeIn(sectionOf(document, 'Of each process'));
    const documented = [...code].filter((word) => /^(?:process|nodejs|corral)_/u.test(word));
    assert.deepEqual(
      sorted(documented),
      sorted(registered(false).map((metric) => shapeOf(metric).split(' ').slice(0, 1).join(''))),
    );
  });

  it('asks in its queries and alerts for metrics and labels that there are', () => {
    const blocks = blocksOf(document).filter(({ language }) => language === 'text' || language === 'yaml');
    assert.equal(blocks.length, 2);
    const known = [...registered(true), ...ofOperator(), ...registered(false)].flatMap((metric) => {
      const [name = '', type] = shapeOf(metric).split(' ');
      return type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name];
    });
    const used = blocks.flatMap(({ text }) => text.match(/\b(?:corral|nodejs|process)_\w+/gu) ?? []);
    assert.ok(used.length > 8);
    assert.deepEqual(
      used.filter((name) => !known.includes(name)),
      [],
    );
    for (const { text } of blocks.filter(({ language }) => language === 'yaml')) {
      for (const parsed of parseAllDocuments(text)) assert.deepEqual(parsed.errors, []);
    }
  });
});
