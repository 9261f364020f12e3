import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { renderGate } from '../../../lambda/pipeline/gate/page/render';
import { groupMetrics, importanceMetrics } from '../../../lambda/pipeline/gate/report';
import type { GateReport } from '../../../lambda/pipeline/gate/types';
import { binaryReport, classesReport, EVIL, firstReport, passedReport, refusedReport } from './gate-report-samples';

const schema = JSON.parse(readFileSync(path.resolve(__dirname, '../../../docs/schemas/gate-report.schema.json'), 'utf8')) as object;
const validate = addFormats(new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true, allErrors: true })).compile(schema);

/** Made once: each takes a bootstrap. */
const once = (make: () => GateReport): (() => GateReport) => {
  let made: GateReport | undefined;
  return () => (made ??= make());
};
const [passed, refused, first, binary, classes] = [passedReport, refusedReport, firstReport, binaryReport, classesReport].map(once);

const REPORTS: readonly (readonly [string, () => GateReport])[] = [
  ['a better candidate', passed],
  ['a refused one', refused],
  ['the first version', first],
  ['probabilities', binary],
  ['classes', classes],
];

/** As it stands in the bucket. */
const stored = (report: GateReport): Record<string, unknown> => JSON.parse(JSON.stringify(report)) as Record<string, unknown>;

test.each(REPORTS)('the published schema takes the report of %s', (_, report) => {
  expect({ valid: validate(stored(report())), errors: validate.errors }).toEqual({ valid: true, errors: null });
});

test('it refuses verdicts and fields that there are not, and reports without rules', () => {
  const report = stored(passed());
  const [rule] = report.rules as object[];
  expect(validate({ ...report, rules: [{ ...rule, verdict: 'fine' }] })).toBe(false);
  expect(validate({ ...report, rules: [] })).toBe(false);
  expect(validate({ ...report, colour: 'red' })).toBe(false);
  expect(validate({ ...report, leakage: undefined })).toBe(false);
});

test('a report says what is not in it, and why', () => {
  expect(passed().missing).toEqual([]);
  expect(refused().missing).toEqual([{ what: 'Permutation importance', why: expect.stringContaining('PermutationImportance.off()') }]);
  expect(classes().missing.map(({ what }) => what)).toEqual(['Permutation importance', 'Slices by group', 'Calibration and curves']);
});

test('the values of judged groups go on record by the names that cards know', () => {
  expect(groupMetrics(binary())).toEqual({
    'recall/town:Bern': expect.any(Number),
    'recall/town:Basel': expect.any(Number),
    'recall/town:Genf': expect.any(Number),
  });
});

test('importance goes on record for features with names that trackers take', () => {
  expect(importanceMetrics(refused())).toEqual({});
  expect(importanceMetrics(passed())).toEqual({
    'importance/hr': 93,
    'importance/workingday': 27,
    'importance/season': 0,
    'importance/a column whose name is far longer than the room that a chart has for it': expect.closeTo(-1.2, 9),
  });
});

describe('the page', () => {
  test.each<[string, () => GateReport, RegExp]>([
    ['a better candidate', passed, /<h1>BikeDemand: the candidate passed the gate: its rmse is 18\.0 % better than that of v3\.<\/h1>/],
    ['a refused one', refused, /<h1>BikeDemand: the candidate was refused: its rmse is [\d.]+ % worse than that of v3\. 6 more rules are/],
    ['the first version', first, /<h1>BikeDemand: the candidate passed the gate as the first version\.<\/h1>/],
  ])('begins with the verdict of %s in a sentence', (_, report, headline) => {
    expect(renderGate(report())).toMatch(headline);
  });

  test('says that a candidate is better, but not for certain', () => {
    const report = passed();
    const [rule, ...others] = report.rules;
    const doubtful = { ...report, passed: false, rules: [{ ...rule, passed: false, verdict: 'failed' as const }, ...others] };
    expect(renderGate(doubtful)).toContain('was refused: its rmse is 18.0 % better than that of v3, but not for certain.');
  });

  test('shows every rule with its value, interval, bound and verdict', () => {
    const page = renderGate(refused());
    for (const { text } of refused().rules) expect(page).toContain(`${text.replaceAll("'", '&#39;')}.`);
    expect(page.match(/class="tag bad"/g)).toHaveLength(7);
    expect(page).toContain('Warning: whether the champion was trained on rows of the holdout cannot be checked');
    expect(page).toContain('14 days of the holdout are fewer than the 20');
  });

  test('holds no markup of the data, no script, and nothing from elsewhere', () => {
    const page = renderGate(passed());
    expect(page).not.toContain(EVIL);
    expect(page).toContain('&lt;img src=x');
    expect(page).not.toMatch(/<script|https?:\/\//);
  });

  test('tells what the model rests on as bars and as figures, and what they do not say', () => {
    const page = renderGate(passed());
    expect(page).toContain('<li><a href="#importance">Importance of features</a></li>');
    expect(page).toContain('shuffled among 500 sampled rows of the holdout: mean of 5 shuffles, with its standard deviation as a line. rmse of');
    expect(page).toMatch(/<desc id="importance-barsd">hr 93 ± 3\.6; workingday 27 ± 2\.4; [^<]*; season 0 ± 0; a column whose/);
    const svg = page.slice(page.indexOf('aria-labelledby="importance-barst'));
    expect(svg.slice(0, svg.indexOf('</svg>')).match(/<rect class="win"/g)).toHaveLength(5);
    expect(page).toMatch(/<th scope="row">hr<\/th><td class="n">93<\/td><td\s*class="n">3\.6<\/td><td class="n">258\.3 %<\/td>/);
    expect(page).toContain('each looks less important than it is');
    expect(renderGate(binary())).toContain('Not defined where they are shuffled: tenure.');
    const without = renderGate(refused());
    expect(without).not.toContain('id="importance"');
    expect(without).toContain('<dt>Permutation importance: not here</dt><dd>it is switched off for the model: PermutationImportance.off().</dd>');
  });

  test('of hundreds of features draws the most important ones', () => {
    const report = passed();
    const features = Array.from({ length: 300 }, (_, index) => ({ name: `f${index}`, mean: 300 - index, standardDeviation: 1 }));
    const page = renderGate({ ...report, importance: { ...report.importance!, features } });
    expect(page).toContain('275 features with less importance are not drawn.');
    expect(page.match(/<rect class="win"/g)).toHaveLength(25);
  });

  test('of a hundred groups and years of days stays small', () => {
    const report = passed();
    const [one] = report.groups[0].groups;
    const groups = Array.from({ length: 60 }, (_, index) => ({ ...one, group: `a rather long name of a group, number ${index}` }));
    const overTime = Array.from({ length: 120 }, (_, index) => ({ ...report.overTime[0], name: `20${10 + (index % 80)}-01-01` }));
    const page = renderGate({ ...report, overTime, groups: [{ ...report.groups[0], groups }, { ...report.groups[0], column: 'other', groups }] });
    expect(Buffer.byteLength(page)).toBeLessThan(150_000);
  });
});
