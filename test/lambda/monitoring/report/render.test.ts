import { renderReport } from '../../../../lambda/monitoring/report/render';
import type { MonitorResult } from '../../../../lib/monitoring/contract';
import { BIKE_FEATURES, type Sample, type SamplePage, samplePage, sampleComparison, sampleFeature, SPEC } from './samples';

const EVIL = '<img src=x onerror="alert(\'1\')">&';

const page = (samples?: readonly Sample[], change?: Partial<MonitorResult>): string => {
  const { result, context } = samplePage(samples, change);
  return renderReport(result, context);
};

const text = (html: string): string => html.replace(/<style>[^]*?<\/style>|<[^>]*>/g, ' ').replace(/\s+/g, ' ');
const places = (html: string, words: readonly string[]): number[] => words.map((word) => html.indexOf(word));

describe('the report', () => {
  const html = page();

  test('says the verdict first, in a sentence, then what is promised, then the features', () => {
    const problems = 'its data drifted in 2 columns, groups are served more unequally than agreed and the data break 1 of their rules';
    expect(html).toContain(`<h1>BikeDemand v2 needs attention: ${problems}.</h1>`);
    const words = ['<h1>', 'Quality is within', 'What is promised', 'at most 1 false alarm in 90', 'cannot support a promise', 'id="features"'];
    const order = places(html, words);
    expect(order.every((place) => place >= 0)).toBe(true);
    expect([...order].sort((a, b) => a - b)).toEqual(order);
  });

  test('orders features that drifted first, then by importance times effect, the prediction weighing most', () => {
    const names = [...html.matchAll(/<h3 id="f\d+">([^ <]+)/g)].map(([, name]) => name);
    expect(names).toEqual(['humidity', 'weather', 'prediction', 'hour', 'temp', 'windspeed', 'holiday']);
  });

  test('tells of each feature the numbers, the threshold, the sample sizes, its place and why', () => {
    const humidity = text(html.slice(html.indexOf('id="f0"'), html.indexOf('id="f1"')));
    const parts = ['differently', 'Rows 8,000 672', '0.33 (distribution), counts from 0.1', 'above 3.20', 'p &lt; 0.001', 'Missing 0.9 % 6.1 %'];
    for (const part of [...parts, 'importance 0.22']) expect(humidity.replaceAll('\u00a0', ' ')).toContain(part);
    expect(humidity).toMatch(/Training data no drift/);
    expect(text(html)).toContain('Never seen before: fog');
  });

  test('draws reference and window over each other, and the last windows, each chart in words, too', () => {
    const charts = html.match(/<svg [^]*?<\/svg>/g) as string[];
    expect(charts.length).toBe(3 + 2 * BIKE_FEATURES.length + 2 + 1 + 2);
    const ids = charts.flatMap((chart) => [...chart.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    expect(new Set(ids).size).toBe(2 * charts.length);
    const inWords = /role="img" aria-labelledby="(\S+)t \1d"><title id="\1t">[^<]+<\/title><desc id="\1d">[^<]+<\/desc>/;
    for (const chart of charts) expect(chart).toMatch(inWords);
    expect(charts.some((chart) => /class="ref"/.test(chart) && /class="win"/.test(chart))).toBe(true);
    expect(html).toMatch(/Reference: median -?[\d.]+, eight in ten values between -?[\d.]+ and [\d.]+\. Window: median [\d.]+/);
    expect(html).toContain('Shares: clear');
    expect(charts.join('')).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('can be read without seeing it: headings in order, tables with captions and scopes, regions with names', () => {
    const levels = [...html.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level));
    expect(levels[0]).toBe(1);
    levels.forEach((level, index) => expect(level).toBeLessThanOrEqual((levels[index - 1] ?? 0) + 1));
    expect(html.match(/<th(?!\s+scope=|ead)/g)).toBeNull();
    expect(html.match(/<div class="scroll" (?!tabindex="0" role="region" aria-label="[^"]+")/g)).toBeNull();
    expect(html).toContain('<a class="skip" href="#main">');
  });

  test('takes nothing from the network and runs no script', () => {
    const markup = [...html.matchAll(/<[^>]*>/g)].join('') + /<style>[^]*<\/style>/.exec(html)?.[0];
    expect(markup).not.toMatch(/<(?:script|link|iframe|img|object|embed|base)\b|\s(?:src|srcset|poster|style|on\w+)\s*=|url\(|@import|https?:/i);
    expect(markup.match(/href="(?!#)/g)).toBeNull();
    expect(html).toMatch(/default-src &#39;none&#39;; style-src &#39;sha256-[\w+/=]+&#39;/);
  });
});

test('escapes everything that comes from data', () => {
  const samples: Sample[] = [
    { name: `number ${EVIL}`, kind: 'smooth', shift: 1 },
    { name: EVIL, kind: 'category', shift: 1, categories: [EVIL, `"${EVIL}`, 'x'] },
  ];
  const { result } = samplePage(samples);
  const html = page(samples, {
    platform: EVIL,
    model: EVIL,
    states: [{ state: 'late-records', count: 1, sentence: EVIL }],
    rejected: { [EVIL]: 1 },
    rejectedSamples: { [EVIL]: EVIL },
    drift: { ...result.drift, reason: EVIL, skipped: [{ name: EVIL, reason: EVIL }] },
    quality: { ...result.quality, reason: EVIL, metrics: { ...result.quality.metrics, [EVIL]: { value: 1 } } },
    groups: {
      verdict: 'degraded', reason: EVIL,
      values: [{ column: EVIL, group: EVIL, rows: 50, labelled: 50, small: false, metrics: { [EVIL]: { value: 1 } }, rates: {} }],
      gaps: [{ column: EVIL, metric: EVIL, value: 1, between: [EVIL, EVIL], breached: false }],
    },
    constraints: {
      verdict: 'violated', reason: EVIL, source: EVIL,
      violations: [{ feature: EVIL, constraint: EVIL, severity: 'error', observed: EVIL, allowed: EVIL, description: EVIL }],
    },
    episodes: [{ id: EVIL, rule: 'quality', key: EVIL, version: 1, since: '2012-08-06T00:00:00.000Z', windows: 1, quiet: 0 }],
    sources: EVIL, resultUri: EVIL,
  });
  expect(html).not.toContain('<img');
  expect(html).not.toMatch(/<[^>]*onerror="/);
  expect(html.match(/&lt;img/g)?.length).toBeGreaterThan(30);
});

describe('a window without a verdict', () => {
  const nothing = { quality: 'no-traffic', groups: 'no-traffic', constraints: 'no-traffic' } as const;
  const empty = (verdict: MonitorResult['drift']['verdict']): string => {
    const { result, context } = samplePage();
    return renderReport(
      {
        ...result, rows: 0, requests: 0, servedBy: [], states: [], rejected: {}, episodes: [],
        drift: { verdict, reason: 'Nothing came.', comparisons: [], skipped: [] },
        quality: { ...result.quality, verdict: nothing.quality, reason: 'Nothing came.', rows: 0, labelled: 0, coverage: 0, metrics: {} },
        groups: { verdict: nothing.groups, reason: 'Nothing came.', values: [], gaps: [] },
        constraints: { verdict: nothing.constraints, reason: 'Nothing came.', source: '', violations: [] },
      },
      { ...context, comparisons: [], trend: [] },
    );
  };

  test.each([
    ['no-traffic', /could not be judged: no requests came\./],
    ['insufficient-data', /could not be judged: there is too little data to judge drift and no requests came\./],
    ['no-baseline', /could not be judged: there is nothing to compare/],
  ] as const)('%s is neither drift nor fine', (verdict, title) => {
    const html = empty(verdict);
    expect(/<h1>([^<]*)</.exec(html)?.[1]).toMatch(title);
    expect(html).not.toMatch(/needs no attention|class="tag (good|bad)"/);
    expect(html).toContain('Every line and row that was read could be used');
  });
});

test('a quiet window while an alarm is open is no recovery, and says since when', () => {
  const { result, context } = samplePage();
  const quiet: MonitorResult = {
    ...result,
    drift: { ...result.drift, verdict: 'ok' },
    quality: { ...result.quality, verdict: 'ok' },
    groups: { ...result.groups, verdict: 'no-rules' },
    constraints: { ...result.constraints, verdict: 'ok', violations: [] },
    episodes: [{ id: 'quality', rule: 'quality', key: 'rmse', version: 1, since: '2012-08-06T00:00:00.000Z', windows: 2, quiet: 1 }],
  };
  const title = /<h1>([^<]*)</.exec(renderReport(quiet, context))?.[1];
  expect(title).toMatch(/needs attention: alarms are open for quality \(rmse\) since 2012-08-06\.$/);
});

test('an advisory reference shows its differences without calling them drift', () => {
  const temp = sampleFeature({ name: 'temp', kind: 'smooth', shift: 1 }, 1);
  const features = [{ ...temp, result: { ...temp.result, drifted: false } }];
  const comparison = sampleComparison({ kind: 'SAME_SEASON' }, features, { verdict: 'advisory', threshold: undefined, pValue: undefined });
  const { result, context } = samplePage();
  const drift = { ...result.drift, verdict: 'advisory' as const, comparisons: [comparison.result] };
  const html = renderReport({ ...result, drift }, { ...context, comparisons: [comparison], trend: [] });
  expect(html).toContain('Not judged: drift is shown for information only.');
  expect(html).toMatch(/<h3 id="f0">temp <span class="tag idle">for information/);
});

const wide = (features: number, name: (index: number) => string): SamplePage => {
  const categories = Array.from({ length: 12 }, (_, index) => `some longer category ${index}`);
  const made = [0, 1, 2, 3].map((index) => {
    const kind = (['smooth', 'whole', 'category', 'smooth'] as const)[index];
    return sampleFeature({ name: '', kind, shift: index === 3 ? 0.6 : 0, importance: 0.1, categories }, index);
  });
  const many = Array.from({ length: features }, (_, index) => {
    const one = made[index % 4];
    return { ...one, result: { ...one.result, name: name(index), importance: index / features } };
  });
  const { result, context } = samplePage();
  const comparisons = SPEC.references.map((reference) => sampleComparison(reference, many));
  const drift = { ...result.drift, comparisons: comparisons.map((one) => one.result) };
  return { result: { ...result, drift }, context: { ...context, comparisons } };
};

describe('a page stays below 1 MB', () => {
  test('with all charts of 200 features', () => {
    const { result, context } = wide(200, (index) => `feature number ${index}`);
    const html = renderReport(result, context);
    expect(Buffer.byteLength(html)).toBeLessThanOrEqual(1_000_000);
    expect(html.match(/<article/g)).toHaveLength(200);
    expect(html.match(/<title id="d\d+t">/g)).toHaveLength(200);
    expect(html).not.toContain('are left out here');
  });

  test('with thousands of columns of long names, the least changed of which it leaves out and says so', () => {
    const { result, context } = wide(1500, (index) => `${'a long name '.repeat(30)}${index}`);
    const html = renderReport(result, context);
    expect(Buffer.byteLength(html)).toBeLessThanOrEqual(1_000_000);
    expect(html.match(/<article/g)?.length).toBeGreaterThanOrEqual(40);
    expect(text(html)).toMatch(/\d,\d{3} further features that changed less are left out here/);
  });
});

test('files that were compared by hand are named instead of a window of requests', () => {
  const { result, context } = samplePage();
  const html = renderReport({ ...result, requests: 0 }, { ...context, files: { title: 'new.csv against old.csv', reference: 'Reference' } });
  expect(text(html)).toContain('Comparison of new.csv against old.csv');
  expect(html).not.toContain('<time');
});
