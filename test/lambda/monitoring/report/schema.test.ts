import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import type { MonitorResult } from '../../../../lib/monitoring/contract';
import { samplePage } from './samples';

const schema = JSON.parse(readFileSync(path.resolve(__dirname, '../../../../docs/schemas/monitor-result.schema.json'), 'utf8')) as object;
const validate = new Ajv2020({ strict: true, strictRequired: false, allErrors: true }).compile(schema);

/** As it stands in the bucket. */
const stored = (change: Partial<MonitorResult> = {}): unknown => JSON.parse(JSON.stringify({ ...samplePage().result, ...change }));

test('the published schema of a result takes what a monitor writes', () => {
  expect({ valid: validate(stored()), errors: validate.errors }).toEqual({ valid: true, errors: null });
  expect(validate(stored({ version: undefined, invocations: 12, episodes: [], states: [] }))).toBe(true);
});

test('it refuses verdicts and fields that there are not', () => {
  const { drift } = samplePage().result;
  expect(validate(stored({ drift: { ...drift, verdict: 'fine' as never } }))).toBe(false);
  expect(validate({ ...(stored() as object), colour: 'red' })).toBe(false);
  expect(validate(stored({ rows: undefined }))).toBe(false);
});
