import { Counter, Shape } from '../../../lambda/monitoring/counters';
import type { JudgedFeature } from '../../../lambda/monitoring/judge';
import { renderReport } from '../../../lambda/monitoring/report';
import type { MonitorResult } from '../../../lib/monitoring/contract';
import { random, SPEC } from './samples';

const EVIL = '<img src=x onerror="alert(\'1\')">&';
const NUMERIC: Shape = { kind: 'numeric', edges: Array.from({ length: 99 }, (_, index) => index / 100), mean: 0.5, deviation: 0.3 };

const counted = (shape: Shape, seed: number) => {
  const counter = new Counter(shape);
  const next = random(seed);
  for (let row = 0; row < 500; row += 1) {
    counter.add(shape.kind === 'numeric' ? next() : row % 50 === 0 ? `new ${EVIL}` : shape.categories[Math.floor(next() * shape.categories.length)]);
  }
  return counter.toCounts();
};

const feature = (name: string, shape: Shape, drifted: boolean): JudgedFeature => ({
  role: 'feature',
  strength: 1,
  shape,
  reference: counted(shape, 1),
  window: counted(shape, 2),
  result: {
    name, kind: shape.kind, drifted, referenceRows: 500, rows: 500,
    missingShare: 0.01, referenceMissingShare: 0, invalidShare: 0.1,
    unseenShare: 0.02, unseen: [EVIL], psiDebiased: -0.01, reason: `Because ${EVIL}`,
  },
});

const page = (features: readonly JudgedFeature[], change: Partial<MonitorResult> = {}): string =>
  renderReport(
    {
      schemaVersion: 1, platform: `p${EVIL}`, model: 'BikeDemand', version: 2,
      windowStart: '2012-03-01T00:00:00.000Z', windowEnd: '2012-04-01T00:00:00.000Z', requests: 31, rows: 744, servedBy: [{ version: 2, rows: 744 }],
      rejected: { 'column-count': 1234 }, rejectedSamples: { 'column-count': `key ${EVIL}:1` },
      drift: {
        verdict: 'drift', reason: `One of them: ${EVIL}.`, reference: 'all 8000 training rows', features: features.map(({ result }) => result),
        skipped: [{ name: EVIL, reason: 'an identifier' }],
      },
      quality: { verdict: 'degraded', reason: 'rmse 113 is worse than 100.', labelled: 700, coverage: 0.94, metrics: { rmse: 113, mae: 80 },
        exceeded: [{ metric: 'rmse', value: 113, bound: 100 }] },
      resultUri: 's3://reports/result.json', reportUri: 's3://reports/report.html', ...change,
    },
    { features, spec: SPEC, holdout: { rows: 400, metrics: { rmse: 64 } } },
  );

const CITY: Shape = { kind: 'categorical', categories: ['a', EVIL, 'b'], hasOther: false };
const both = () => [feature(`temp ${EVIL}`, NUMERIC, true), feature('city', CITY, false)];

describe('the report', () => {
  it('takes nothing from the network and runs no script', () => {
    const html = page(both());
    // Text that came from data is escaped, so that what is left of tags and styles can be searched as it is.
    const markup = [...html.matchAll(/<[^>]*>/g)].join('') + /<style>[^]*<\/style>/.exec(html)?.[0];
    expect(markup).not.toMatch(/<(?:script|link|iframe|img|object|embed|base)\b|\s(?:src|srcset|href|poster|on\w+)\s*=|url\(|@import|https?:/i);
    expect(html).toContain("default-src 'none'");
  });

  it('escapes everything that comes from data', () => {
    const html = page(both());
    expect(html).not.toContain('<img');
    expect(html.match(/&lt;img/g)?.length).toBeGreaterThan(8);
  });

  it('says the verdict first, then what it rests on', () => {
    const html = page(both());
    expect(html).toMatch(/<h1>BikeDemand v2: drift found, quality worse than its bound<\/h1>/);
    expect(html).toContain('Compared with all 8000 training rows');
    expect(html).toContain('1,234');
    expect(html.indexOf('<h1>')).toBeLessThan(html.indexOf('<table>'));
  });

  it('can be read without seeing it: headings in order, captions, titled charts with distinct ids', () => {
    const html = page(both());
    expect([...html.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level))).toEqual([1, 2, 2, 2, 2, 2, 2]);
    expect(html.match(/<table>\s*<caption>/g)).toHaveLength(html.match(/<table>/g)?.length ?? 0);
    expect(html.match(/<svg [^>]*role="img" aria-labelledby="f\d-t f\d-d"><title id="f\d-t">/g)).toHaveLength(2);
    expect(html).toMatch(/<desc id="f0-d">Reference: median 0\.\d+, eight in ten values between 0\.\d+ and 0\.\d+\./);
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });

  it.each(['insufficient-data', 'no-traffic', 'no-baseline'] as const)('never looks like "no drift" for %s', (verdict) => {
    const html = page([], { rows: 0, drift: { verdict, reason: 'Nothing to compare.', reference: 'nothing', features: [], skipped: [] } });
    expect(html).not.toMatch(/card good|none found/);
  });

  it('draws features without values, with one value and with values far outside', () => {
    const empty = new Counter(NUMERIC).toCounts();
    const far = new Counter(NUMERIC);
    [1e308, -1e308, 0.2].forEach((value) => far.add(value));
    const single: Shape = { kind: 'numeric', edges: [4], mean: 4, deviation: 1 };
    const cases: JudgedFeature[] = [
      { ...feature('a', NUMERIC, false), reference: undefined, window: empty },
      { ...feature('b', NUMERIC, false), window: far.toCounts() },
      { ...feature('c', single, false), reference: undefined, window: counted(single, 3) },
      { ...feature('d', { kind: 'categorical', categories: ['x'], hasOther: true }, false), reference: undefined },
    ];
    expect(page(cases)).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('of 200 features stays below a megabyte', () => {
    expect(page(Array.from({ length: 200 }, (_, index) => feature(`f${index}`, NUMERIC, false))).length).toBeLessThan(1_000_000);
  });
});
