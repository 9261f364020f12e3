import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { main } from '../../cli/program';
import { suggestConstraints } from '../../lambda/monitoring/constraints/suggest';
import type { ConstraintFile } from '../../lambda/monitoring/constraints/types';
import { MemoryBucket } from '../fakes/memory-s3';
import { MemoryPlatform, modelResources, PLATFORM } from '../fakes/platform';
import { register, registryOver, versionRecord } from '../fakes/registry';
import { profiled } from '../lambda/monitoring/constraints/world';
import { fakeIo } from './fake-io';

process.env.AWS_REGION = 'eu-west-1';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'constraints-'));
  process.exitCode = undefined;
});
afterEach(() => {
  rmSync(directory, { recursive: true });
  process.exitCode = undefined;
  jest.restoreAllMocks();
});

const mlops = async (...args: string[]) => {
  const { io, written } = fakeIo();
  const code = await main(['constraints', ...args], io);
  process.exitCode = undefined;
  return { code, ...written };
};

const file = (name: string, text: string): string => {
  const place = path.join(directory, name);
  writeFileSync(place, text);
  return place;
};

const HEADER = 'at,temp,season,cnt';
const at = (hour: number): string => new Date(Date.UTC(2012, 0, 1, hour)).toISOString();
const row = (hour: number): string[] => [at(hour), String(20 + (hour % 24) / 4), `s${hour % 4}`, String(hour)];
const csv = (rows: number, edit: (cells: string[], hour: number) => string[] = (cells) => cells): string =>
  [HEADER, ...Array.from({ length: rows }, (_, hour) => edit(row(hour), hour).join(',')), ''].join('\n');

describe('on this machine', () => {
  const suggest = async (): Promise<string> => {
    const target = path.join(directory, 'constraints.json');
    const { code, err } = await mlops(
      ...['suggest', file('demand.csv', csv(2400)), '--model', 'Demand', '--time', 'at', '--target', 'cnt', '--output', target],
    );
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining(`${target} written\nchecked on 5 parts of the data`) });
    return target;
  };

  test('rules are suggested from a file, and the file keeps them', async () => {
    const target = await suggest();
    const constraints = JSON.parse(readFileSync(target, 'utf8')) as ConstraintFile;
    expect(constraints).toMatchObject({
      ...{ model: 'Demand', origin: expect.stringMatching(/^2,400 rows of .*demand\.csv$/), columns: { names: ['at', 'temp', 'season'] } },
      features: [{ name: 'temp', type: { is: 'fractional' } }, { name: 'season', domain: { values: ['s0', 's1', 's2', 's3'] } }],
      ...{ rowCount: { atLeast: 12, atMost: 48 }, freshness: { atMostSeconds: 7200 } },
    });
    const checked = await mlops('check', path.join(directory, 'demand.csv'), '--constraints', target, '--target', 'cnt', '--json');
    expect(checked.code).toBe(0);
    expect(JSON.parse(checked.out)).toMatchObject({ verdict: 'ok', rows: 2400, setAside: 0, violations: [] });
  });

  test('a check tells numbers and rules of rows that a run would set aside, without their values, and ends with 0', async () => {
    const target = await suggest();
    const bad = file('bad.csv', csv(2400, (cells, hour) => (hour === 9 ? [cells[0], 'Anna', ...cells.slice(2)] : cells)));
    const quarantine = path.join(directory, 'bad.jsonl');
    const { code, out } = await mlops('check', bad, '--constraints', target, '--target', 'cnt', '--quarantine', quarantine);
    expect(code).toBe(0);
    expect(out).toMatch(/set aside +1\n.*verdict +a training run would use it/);
    expect(out).not.toContain('Anna');
    expect(JSON.parse(readFileSync(quarantine, 'utf8'))).toEqual({ row: 11, rule: "'temp' is not a number", samples: { temp: 'Aaaa' } });
  });

  test('data that a run would refuse ends with 3 and the reason', async () => {
    const target = await suggest();
    const half = file('half.csv', csv(2400, (cells, hour) => (hour % 2 === 0 ? [cells[0], '', ...cells.slice(2)] : cells)));
    const { code, out } = await mlops('check', half, '--constraints', target, '--target', 'cnt');
    expect(code).toBe(3);
    expect(out).toMatch(/verdict +a training run would stop[^]*'temp': 50 % \(1,200 of 2,400 rows\) missing[^]*1180 more rows/);
    const torn = file('torn.csv', csv(100, (cells, hour) => (hour < 5 ? cells.slice(1) : cells)));
    const second = await mlops('check', torn, '--constraints', target, '--target', 'cnt', '--json');
    expect(second.code).toBe(3);
    expect(JSON.parse(second.out)).toMatchObject({ violations: [{ constraint: 'rows', observed: '5 % (5 of 100 rows)' }, {}] });
  });

  test('what is wrong with a file is told with place and fix; exit codes tell wrong data from a wrong call', async () => {
    const target = await suggest();
    const typo = file('typo.json', readFileSync(target, 'utf8').replace('"presence"', '"presnece"'));
    const data = path.join(directory, 'demand.csv');
    const wrong = await mlops('check', data, '--constraints', typo);
    expect(wrong.code).toBe(1);
    expect(wrong.err).toMatch(/is no constraint file:\n {2}features\[0\] \(temp\): Unrecognized key: "presnece"/);
    expect((await mlops('check', data, '--constraints', target, '--time', 'when')).err).toMatch(/has no column when\n {2}its columns: at, temp/);
    expect(await mlops('check', path.join(directory, 'none.csv'), '--constraints', target)).toMatchObject({ code: 2 });
    expect(await mlops('check', file('empty.csv', ''), '--constraints', target)).toMatchObject({ code: 1 });
    expect(await mlops('check', data)).toMatchObject({ code: 2 });
    expect(await mlops('suggest', data, '--window', 'x')).toMatchObject({ code: 2 });
  });

  test('files of Model Monitor are taken over, and what has no counterpart is told', async () => {
    const constraints = {
      features: [{ name: 'temp', inferred_type: 'Fractional', completeness: 1, num_constraints: { is_non_negative: true } }],
      monitoring_config: { distribution_constraints: { perform_comparison: 'Enabled' } },
    };
    const taken = await mlops('import', file('constraints.json', JSON.stringify(constraints)), '--model', 'Demand');
    expect(taken.code).toBe(0);
    expect(JSON.parse(taken.out)).toMatchObject({ model: 'Demand', features: [{ name: 'temp', nonNegative: {} }] });
    expect(taken.err).toBe(
      'not taken over: monitoring_config.distribution_constraints: drift is judged against blocks of the baseline, not by a fixed threshold\n',
    );
    const common = { num_present: 100, num_missing: 0 };
    const buckets = [{ value: 'a', count: 60 }, { value: 'b', count: 40 }];
    const strings = { common, distinct_count: 2, distribution: { categorical: { buckets } } };
    const statistics = { dataset: { item_count: 100 }, features: [{ name: 'kind', inferred_type: 'String', string_statistics: strings }] };
    const suggested = await mlops('import', file('statistics.json', JSON.stringify(statistics)), '--model', 'Demand', '--json');
    expect(JSON.parse(suggested.out)).toMatchObject({ lost: [], constraints: { features: [{ name: 'kind', domain: { values: ['a', 'b'] } }] } });
    const violations = [{ feature_name: 'temp', constraint_check_type: 'data_type_check', description: '3 % are no numbers' }];
    const found = file('constraint_violations.json', JSON.stringify({ violations }));
    const told = await mlops('import', file('constraints.json', JSON.stringify(constraints)), '--model', 'Demand', '--violations', found);
    expect(told.out).toBe(taken.out);
    expect(told.err).toContain('was broken: temp: type: 3 % are no numbers\n');
    const listed = await mlops('import', file('constraints.json', JSON.stringify(constraints)), '--model', 'Demand', '--violations', found, '--json');
    expect(JSON.parse(listed.out).broken).toMatchObject([{ feature: 'temp', constraint: 'type', severity: 'error' }]);
    expect((await mlops('import', found, '--model', 'Demand', '--violations', file('z.json', '{}'))).code).toBe(1);
    expect((await mlops('import', file('x.json', '[]'), '--model', 'Demand')).err).toMatch(/x\.json is no file of Model Monitor: the document/);
    expect((await mlops('import', file('y.json', '{'), '--model', 'Demand')).err).toMatch(/y\.json is not JSON/);
  });
});

describe('of a platform', () => {
  const BASELINE = 'reports/baselines/Demand/run-1/baseline.json';
  let bucket: MemoryBucket;

  beforeEach(async () => {
    const platform = new MemoryPlatform().install().add(PLATFORM, [modelResources('Demand')]);
    bucket = new MemoryBucket();
    bucket.install();
    const registry = registryOver(platform.dynamo.client());
    const by = { actor: 'ana', reason: 'because' };
    await register(registry, 'Demand', versionRecord('run-1', { baselineUri: `s3://${BASELINE}` }), by);
    await registry.transition('Demand', 1, 'Approved', by);
    await registry.promote('Demand', 1, by);
  });

  const suggested = (): { baseline: object; constraints: ConstraintFile } => {
    const rows = Array.from({ length: 500 }, (_, index) => [index / 7, ['a', 'b'][index % 2]]);
    const { features, folds } = profiled(['temp', 'kind'], rows);
    const constraints = suggestConstraints({ model: 'Demand', rows: 500, columns: ['temp', 'kind'], features, folds });
    const columns = ['temp', 'kind'];
    const about = { schemaVersion: 2, model: 'Demand', runId: 'run-1', columns, trainRows: 500, features, skipped: [], constraints };
    return { constraints, baseline: { ...about, holdout: { rows: 1, blocks: 1, metrics: {}, groups: {} }, promises: [] } };
  };

  test('those in force are the stored file, else what the baseline of the serving version suggests', async () => {
    const { baseline, constraints } = suggested();
    bucket.objects.set(BASELINE, JSON.stringify(baseline));
    expect(JSON.parse((await mlops('show', 'Demand', '--json')).out)).toEqual({ source: `s3://${BASELINE}`, file: constraints });
    expect(JSON.parse((await mlops('suggest', 'Demand')).out)).toEqual(constraints);

    const edited = file('edited.json', JSON.stringify({ ...constraints, origin: 'edited' }));
    const uri = `s3://${PLATFORM.dataBucket}/constraints/Demand.json`;
    const put = await mlops('put', 'Demand', edited);
    expect(put).toMatchObject({ code: 0, out: expect.stringContaining(`constraints of Demand written to ${uri}`) });
    expect(JSON.parse((await mlops('show', 'Demand', '--json')).out)).toMatchObject({ source: uri, versionId: 'v1', file: { origin: 'edited' } });
    const { out } = await mlops('show', 'Demand');
    expect(out).toMatch(/origin +edited\n[^]*temp +fractional!; present 9[\d.]+ %!; …[^]*kind +string!; present .*; 2 values: a, b/);
  });

  test('a file that is none, or is of another model, is not stored', async () => {
    const { constraints } = suggested();
    expect(await mlops('put', 'Demand', file('none.json', '{}'))).toMatchObject({ code: 1, err: expect.stringContaining('schemaVersion') });
    const other = file('other.json', JSON.stringify({ ...constraints, model: 'Churn' }));
    expect(await mlops('put', 'Demand', other)).toMatchObject({ code: 2, err: expect.stringContaining('states rules for Churn, not for Demand') });
    expect(bucket.written).toEqual([]);
  });

  test('no baseline, or one of an earlier release, is told with the way out', async () => {
    bucket.objects.set(BASELINE, JSON.stringify({ schemaVersion: 1 }));
    expect((await mlops('show', 'Demand')).err).toMatch(/holds no constraints: an earlier release made it\n {2}train the model once more/);
    expect((await mlops('show', 'Churn')).err).toMatch(/has no model "Churn"/);
  });

  test('are written as Model Monitor writes them, with the statistics of the baseline', async () => {
    bucket.objects.set(BASELINE, JSON.stringify(suggested().baseline));
    const { code, err } = await mlops('export', 'Demand', '--output', directory);
    expect(code).toBe(0);
    expect(err).toMatch(/^Model Monitor cannot say: dataset\n/);
    const read = (name: string): unknown => JSON.parse(readFileSync(path.join(directory, name), 'utf8'));
    expect(read('constraints.json')).toMatchObject({ features: [{ name: 'temp', inferred_type: 'Fractional' }, { name: 'kind' }] });
    expect(read('statistics.json')).toMatchObject({ dataset: { item_count: 500 }, features: [{ name: 'temp' }, { name: 'kind' }] });
  });
});
