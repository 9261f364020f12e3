import fc from 'fast-check';
import { MlflowError } from '../../../../../lambda/tracking/mlflow/errors';
import { parseExperimentFilter, parseModelFilter, parseVersionFilter } from '../../../../../lambda/tracking/mlflow/search/attribute-filter';
import { compareText, liker } from '../../../../../lambda/tracking/mlflow/search/compare';
import { parseLoggedModelFilter } from '../../../../../lambda/tracking/mlflow/search/logged-model-filter';
import { parseExperimentOrder, parseModelOrder, parseRunOrder, parseVersionOrder } from '../../../../../lambda/tracking/mlflow/search/order-by';
import { parseRunFilter } from '../../../../../lambda/tracking/mlflow/search/run-filter';

const FRAGMENTS = [
  ...['metrics', 'params', 'tags.', '.', 'a', '`a b`', '"q"', "'x'", '=', '!=', '>', 'LIKE', 'in', 'IS', 'NOT', 'NULL', 'AND', 'OR'],
  ...['(', ')', ',', ';', '1', '-2.5', '1e9', "'", '`', '\\', '🚀', ' ', ' ', ' '],
];
const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 20 }).map((parts) => parts.join('')));

const refusesOnlyAsClientsKnow = (parse: (text: string) => unknown) => (text: string) => {
  try {
    parse(text);
  } catch (error) {
    expect(error).toBeInstanceOf(MlflowError);
  }
};

test.each([
  ['runs', parseRunFilter],
  ['experiments', parseExperimentFilter],
  ['models', parseModelFilter],
  ['versions', parseVersionFilter],
  ['logged models', parseLoggedModelFilter],
  ['orders of runs', (text: string) => parseRunOrder([text])],
  ['orders of experiments', (text: string) => parseExperimentOrder([text])],
  ['orders of models', (text: string) => parseModelOrder([text])],
  ['orders of versions', (text: string) => parseVersionOrder([text])],
])('whatever stands in a filter, it is understood or refused: %s', (_, parse) => {
  fc.assert(fc.property(texts, refusesOnlyAsClientsKnow(parse)), { numRuns: 500 });
});

test('any key in backticks and any text without its quote is found again', () => {
  const key = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('`') && !/^(['"]).*\1$/s.test(text) && text.length > 1);
  const value = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes("'") && !text.endsWith('\\'));
  fc.assert(
    fc.property(key, value, (name, text) => {
      expect(parseRunFilter(`params.\`${name}\` = '${text}'`)).toEqual([{ field: { kind: 'param', key: name }, operator: '=', value: text }]);
    }),
  );
});

test('keys of what every object has are keys like others', () => {
  expect(() => parseRunFilter("constructor.a = 'x'")).toThrow('Invalid entity type');
  expect(() => parseLoggedModelFilter("constructor.a = 'x'")).toThrow('Invalid entity type');
  expect(() => parseModelOrder(['constructor'])).toThrow('Invalid order by key');
});

const regularExpression = (pattern: string) =>
  new RegExp(`^${[...pattern].map((c) => (c === '%' ? '.*' : c === '_' ? '.' : c === '.' ? '\\.' : c)).join('')}$`, 'su');

test('LIKE matches as the pattern reads', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', 'A', '🚀', 'é', '.', '%', '_'), { maxLength: 8 }).map((all) => all.join(''));
  fc.assert(
    fc.property(letters, letters, (text, pattern) => {
      expect(liker(pattern, false)(text)).toBe(regularExpression(pattern).test(text));
    }),
    { numRuns: 3000 },
  );
});

test('a LIKE with many wildcards takes no longer than its lengths allow', () => {
  const start = process.cpuUsage().user;
  expect(liker(`${'%a'.repeat(500)}%b`, true)('a'.repeat(8000))).toBe(false);
  expect(process.cpuUsage().user - start).toBeLessThan(2_000_000);
});

test('texts are ordered by their UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(Math.sign(compareText(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }),
    { numRuns: 2000 },
  );
});

test('a long filter is read in a moment', () => {
  const start = process.cpuUsage().user;
  expect(() => parseRunFilter("'".repeat(50_000))).toThrow(MlflowError);
  expect(() => parseRunFilter('('.repeat(400_000))).toThrow(MlflowError);
  expect(() => parseRunFilter("\\'".repeat(50_000))).toThrow(MlflowError);
  expect(() => parseRunFilter('1'.repeat(50_000))).toThrow(MlflowError);
  expect(() => parseRunFilter('a '.repeat(20_000))).toThrow(MlflowError);
  expect(parseRunFilter(Array.from({ length: 2000 }, (_, n) => `metrics.m${n} > ${n}`).join(' AND '))).toHaveLength(2000);
  expect(process.cpuUsage().user - start).toBeLessThan(3_000_000);
});
