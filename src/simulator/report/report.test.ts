import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { poolName } from '../../domain/ids.ts';
import { NO_RESOURCES } from '../../domain/resources.ts';
import { WHOLE_POOL } from '../../domain/pool.ts';
import { minutes, seconds } from '../../domain/units.ts';
import type { Outcome } from '../outcome.ts';
import { METRICS, showMetric } from './metrics.ts';
import { renderHtml } from './render-html.ts';
import { renderSvg } from './render-svg.ts';
import { renderText } from './render-text.ts';
import type { Simulated } from './simulated.ts';

const POLICIES = ['corral', 'llama-router', 'llama-swap', 'keep-alive', 'clairvoyant'] as const;

const outcome = (policy: Outcome['policy'], factor: number, wait?: Outcome['wait']): Outcome => ({
  policy,
  requests: 2,
  coldStarts: 1000 * factor,
  coldRequests: 2,
  wait,
  starved: 0,
  reloads: 1,
  reloadsPerHour: 0.25 * factor,
  gpuHours: 1.5,
  cut: 0,
});

const named = (name: string): Simulated => ({
  scenario: {
    name,
    pool: {
      name: poolName('p'),
      maxLoaded: 0,
      bins: [{ name: WHOLE_POOL, size: NO_RESOURCES }],
      eviction: 'LRUByIdle',
      paused: false,
      minResidency: seconds(0),
      fairAfter: seconds(30),
    },
    models: [],
    trace: { at: Float64Array.of(0, 5_400_000), model: Uint32Array.of(0, 0), duration: Float64Array.of(1, 1) },
    maxWait: minutes(1),
  },
  outcomes: POLICIES.map((policy, index) =>
    outcome(policy, index + 1, index === 4 ? undefined : { p50: 0, p95: 1500, p99: 99_960, max: 123_456 }),
  ),
});
const simulated = named('monday');

/** The elements that are open at the end, and those that were closed without having been opened. Void elements of HTML aside. */
function unbalanced(markup: string): string[] {
  const open: string[] = [];
  for (const [, slash, name = '', self] of markup.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/gu)) {
    if (self === '/' || name === 'meta') continue;
    if (slash === '') open.push(name);
    else if (open.at(-1) === name) open.pop();
    else open.push(`/${name}`);
  }
  return open;
}

describe('the table', () => {
  it('is Markdown with a row for each policy, its numbers to the right', () => {
    const [summary, , head, rule, first, ...others] = renderText(simulated).trimEnd().split('\n');
    assert.equal(summary, 'monday: 2 requests in 1.5 hours, 0 models, 1 bin');
    assert.match(String(head), /^\| policy +\| cold starts \|/u);
    assert.match(String(rule), /^\| -+ \| -+: \|/u);
    assert.match(
      String(first),
      /^\| corral +\| +1,000 \| +0\.3 \| +0\.0 s \| +1\.5 s \| +100\.0 s \| +123 s \| +0 \| +0 \| +1\.5 \|$/u,
    );
    assert.equal(others.length, 4);
    assert.ok(others.every((row) => row.length === String(first).length));
  });
  it('does not call a wait short of which nobody knows', () => {
    assert.match(renderText(simulated), /^\| clairvoyant +\| +5,000 \| +1\.3 \| +none \| +none \| +none \| +none \|/mu);
  });
});

const page = renderHtml([simulated, named('tuesday')]);
const drawing = renderSvg(simulated);

describe('the report', () => {
  for (const [form, text] of [
    ['page', page],
    ['drawing', drawing],
  ] as const) {
    it(`is well-formed, runs nothing and asks for nothing from outside: ${form}`, () => {
      assert.deepEqual(unbalanced(text), []);
      assert.doesNotMatch(text, /<script|\son[a-z]+=|@import|url\(|<link|<img|<iframe|NaN|undefined|Infinity/u);
      assert.doesNotMatch(text.replaceAll('http://www.w3.org/2000/svg', ''), /https?:/u);
    });
    it(`has each figure of each policy in words: ${form}`, () => {
      for (const metric of METRICS) {
        for (const one of simulated.outcomes) {
          assert.ok(text.includes(`>${showMetric(metric, one)}</text>`), `${metric.title} of ${one.policy}`);
        }
      }
    });
    it(`has for each chart a sentence for those who do not see it, and follows the reader's choice of light and dark: ${form}`, () => {
      assert.ok(text.includes('Cold starts (loads begun): corral 1,000, llama-router 2,000, '));
      assert.match(text, /role="img" aria-label/u);
      assert.match(text, /@media \(prefers-color-scheme: dark\)/u);
    });
    it(`takes a name for a text, whatever is in it: ${form}`, () => {
      const hostile = named('<script>"&\'</script>\u0000');
      const rendered = form === 'page' ? renderHtml([hostile]) : renderSvg(hostile);
      assert.doesNotMatch(rendered, /<script|\u0000/u);
      assert.ok(rendered.includes('&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;'));
      assert.deepEqual(unbalanced(rendered), []);
    });
  }
  it('has a part for each scenario', () => {
    assert.deepEqual(
      [...page.matchAll(/<h2>(.*)<\/h2>/gu)].map(([, name]) => name),
      ['monday', 'tuesday'],
    );
    assert.equal([...page.matchAll(/<svg /gu)].length, 2 * METRICS.length);
  });
  it('draws bars as long as their numbers, and none for nothing', () => {
    const widths = [...drawing.matchAll(/class="bar" [^>]* width="([\d.]+)"/gu)].map(([, width]) => Number(width));
    const [one = 0, two = 0, , , five = 0] = widths;
    assert.ok(Math.abs(two / one - 2) < 0.02 && Math.abs(five / one - 5) < 0.02, widths.slice(0, 5).join());
    const starved = METRICS.findIndex(({ short }) => short === 'starved') * POLICIES.length;
    assert.deepEqual(widths.slice(starved, starved + POLICIES.length), [0, 0, 0, 0, 0]);
    assert.ok(Math.max(...widths) + 104 < 420 - 60, 'there is room for the number behind the longest bar');
  });
});
