import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv/dist/2020';
import { constraintsJsonSchema, constraintsText, parseConstraints } from '../../../../lambda/monitoring/constraints/file';
import type { ConstraintFile } from '../../../../lambda/monitoring/constraints/types';

const FILE: ConstraintFile = {
  schemaVersion: 1,
  model: 'Demand',
  origin: 'edited',
  features: [
    {
      name: 'temp',
      type: { is: 'fractional', allowedShare: 0, severity: 'error' },
      range: { from: -1, to: 2, allowedShare: 0.01, severity: 'warning' },
    },
    { name: 'season', domain: { values: ['1', '2'], allowedUnseenShare: 0.05, severity: 'warning' }, presence: { atLeast: 1, severity: 'error' } },
  ],
  consistency: [{ left: 'registered', relation: '<=', right: 'cnt', allowedShare: 0, severity: 'error' }],
  columns: { names: ['temp', 'season'], severity: 'error' },
  rowCount: { atLeast: 10, severity: 'warning' },
  freshness: { atMostSeconds: 3600, severity: 'warning' },
  dataset: { rowCount: { atLeast: 1000, atMost: 2000, severity: 'error' } },
  notes: ['made by hand'],
};

const published = JSON.parse(readFileSync(path.resolve(__dirname, '../../../../docs/schemas/constraints.schema.json'), 'utf8')) as object;

test('a file is read as it was written', () => {
  expect(parseConstraints(constraintsText(FILE), 'x.json')).toEqual(FILE);
  expect(parseConstraints(`\uFEFF${JSON.stringify(FILE)}`, 'x.json')).toEqual(FILE);
});

test('the published schema is the one that files are checked by', () => {
  expect(published).toEqual(JSON.parse(JSON.stringify(constraintsJsonSchema())));
  const validate = new Ajv({ allErrors: true }).compile(published);
  expect(validate(FILE)).toBe(true);
  expect(validate({ ...FILE, features: [{ name: 'temp', rnage: {} }] })).toBe(false);
});

/** The file with another value at a path; without one the field is gone. */
const edited = (path: string, value?: unknown): string => {
  const copy = JSON.parse(JSON.stringify(FILE)) as object;
  const parts = path.split('.');
  const last = parts.pop()!;
  const target = parts.reduce((node, part) => (node as Record<string, object>)[part], copy) as Record<string, unknown>;
  target[last] = value;
  return JSON.stringify(copy);
};

test.each<[string, string, RegExp]>([
  ['broken JSON', '{"schemaVersion": 1,', /^x\.json is no constraint file: it is not JSON \(.*\): correct the syntax/],
  ['a typing error', edited('features.0.rnage', {}), /features\[0\] \(temp\): Unrecognized key: "rnage": correct its name or remove it/],
  ['a share in percent', edited('features.0.range.allowedShare', 5), /features\[0\] \(temp\)\.range\.allowedShare: .*<=1/],
  ['bounds exchanged', edited('features.0.range.from', 3), /features\[0\] \(temp\)\.range: from is more than to: exchange them/],
  ['a column twice', edited('features.1.name', 'temp'), /features\[1\] \(temp\)\.name: 'temp' stands twice: join the two entries/],
  ['text for a number', edited('freshness.atMostSeconds', 'an hour'), /freshness\.atMostSeconds: .*: write a number/],
  ['no severity', edited('columns.severity'), /columns\.severity: Invalid option/],
  ['another version', edited('schemaVersion', 2), /schemaVersion: Invalid input: expected 1/],
])('%s is refused with the place and the fix', (_, text, message) => {
  expect(() => parseConstraints(text, 'x.json')).toThrow(message);
});
