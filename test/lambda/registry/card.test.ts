import { modelCard } from '../../../lambda/registry/card';
import { CARD_TAGS, groupMetrics, servedPeriods, type VersionSources, versionDocument } from '../../../lambda/registry/card-document';
import type { DataManifest, DataSplit } from '../../../lib/artifacts/contract';
import type { HistoryEntry, ModelVersion, RegisteredModel } from '../../../lib/registry/contract';
import type { LogPlace, RunFailure, RunRecord, RunStep } from '../../../lib/tracking/contract';
import { versionRecord } from '../../fakes/registry';
import { schemaProblems as problems, unknownFields } from '../../fakes/version-schema';

const AT = '2026-01-01T00:00:00.000Z';
const MODEL: RegisteredModel = {
  modelId: 'id',
  name: 'Demand',
  tags: {},
  aliases: { champion: 2 },
  managed: true,
  latest: { Production: 2 },
  formerIds: [],
  createdAt: AT,
  updatedAt: AT,
};
const VERSION: ModelVersion = {
  ...versionRecord('run-2'),
  modelId: 'id',
  model: 'Demand',
  version: 2,
  state: 'Production',
  missing: [],
  source: 's3://artifacts/unpacked/',
  stage: 'Production',
  tags: {},
  aliases: ['champion'],
  createdBy: 'pipeline',
  createdAt: AT,
  updatedAt: AT,
};
const BARE: ModelVersion = {
  modelId: 'id',
  model: 'Demand',
  version: 3,
  state: 'Incomplete',
  missing: ['artifact', 'schema'],
  source: 's3://elsewhere/model',
  stage: 'None',
  tags: {},
  aliases: [],
  createdAt: AT,
  updatedAt: AT,
};

const entry = (sequence: number, version: number, action: HistoryEntry['action'], more: Partial<HistoryEntry> = {}): HistoryEntry => ({
  modelId: 'id',
  sequence,
  at: `2026-01-0${sequence}T00:00:00.000Z`,
  actor: 'pipeline',
  action,
  version,
  reason: `because ${sequence}`,
  previousHash: '0'.repeat(64),
  hash: '1'.repeat(64),
  ...more,
});
const HISTORY = [
  entry(1, 1, 'Promoted', { toState: 'Production' }),
  entry(2, 2, 'Registered', { toState: 'PendingApproval' }),
  entry(3, 2, 'Approved', { actor: 'arn:aws:sts::1:assumed-role/Approver/ana', evidenceUri: 's3://reports/gate.json', toState: 'Approved' }),
  entry(4, 2, 'Promoted', { toState: 'Production', previousChampion: 1 }),
  entry(5, 1, 'RolledBack', { toState: 'Production', previousChampion: 2 }),
  entry(6, 2, 'RolledBack', { toState: 'Production', previousChampion: 1 }),
];
const split: Required<DataSplit> = { uri: 's3://data/train.csv', rows: 100, from: AT, to: AT };
const DIGEST = 'a'.repeat(64);
const LOGS: Required<LogPlace> = { group: '/aws/sagemaker/TrainingJobs', stream: 'j/', url: 'https://console' };
const FAILURE: Required<RunFailure> = { step: 'Train', name: 'E', message: 'no rows', exitCode: 1, job: 'j', logs: LOGS };
/** Every field there is: one that is added to the record and not to the schema does not compile here, or is noticed. */
const DATA: Required<DataManifest> = {
  ...{ schemaVersion: 1, dataId: 'data', model: 'Demand', bucket: 'data', prefix: '2012/', commit: 'abc', columns: ['hr', 'cnt'] },
  ...{ rows: 120, from: AT, to: AT, quarantinedRows: 1, train: split, holdout: { ...split, rows: 20 } },
  files: [{ key: 'a.csv', versionId: 'v', etag: 'e', rows: 120, sha256: DIGEST }],
  constraints: { uri: 's3://data/constraints.json', sha256: DIGEST, source: 's3://data/constraints/Demand.json', versionId: 'v', warnings: 0 },
  rowKeys: { uri: 's3://data/keys', columns: ['hr', 'cnt'], rows: 100 },
  permuted: { uri: 's3://data/permuted.csv', features: ['hr'], repeats: 5, sample: [0, 7] },
};
const STEP: Required<RunStep> = {
  ...{ name: 'train', status: 'FINISHED', startTime: AT, endTime: AT, inputs: { data: 'd' }, outputs: { job: 'j' } },
  ...{ error: 'no rows', logs: LOGS, costUsd: 0.01 },
};
const RUN: Required<RunRecord> = {
  ...{ runId: 'run-2', model: 'Demand', executionArn: 'arn:x', causeId: 'c', cause: 'somebody asked', startedBy: 'arn:aws:sts::1:assumed-role/A/b' },
  ...{ status: 'FINISHED', outcome: 'promoted', version: 2, startTime: AT, endTime: AT, error: FAILURE },
  ...{ prices: { 'ml.m5.large': 0.36 }, billed: [{ instanceType: 'ml.m5.large', seconds: 100 }], unbilled: ['j'], costUsd: 0.01 },
  ...{ steps: [STEP], params: { seed: '7' }, metrics: { rmse: 64.25 } },
};
const FULL: VersionSources = {
  platform: 'mlops',
  model: { ...MODEL, owner: 'Ana', description: 'Rentals by the hour', tags: { [CARD_TAGS.risks]: 'Bikes where nobody needs them' } },
  version: {
    ...VERSION,
    metrics: { rmse: 64.25, 'rmse/workingday:0': 70.5 },
    tags: { [CARD_TAGS.intendedUse]: 'Plan the night shift', [CARD_TAGS.risks]: 'Too few bikes' },
  },
  history: HISTORY,
  madeFrom: [{ node: { kind: 'run', id: 'run-2' }, at: AT, next: [{ node: { kind: 'data', id: 'data' }, at: AT, next: [] }] }],
  wentTo: [{ node: { kind: 'endpoint', id: 'mlops-demand' }, at: AT, next: [] }],
  data: DATA,
  run: RUN,
  gateReport: { rows: 20, championMetrics: { rmse: 70 } },
};
const LEAST: VersionSources = { platform: 'mlops', model: MODEL, version: BARE, history: [], madeFrom: [], wentTo: [] };

describe('the exported document', () => {
  test.each([['everything', FULL], ['next to nothing', LEAST]])('with %s on record is what its schema promises', (_, sources) => {
    expect(problems(versionDocument(sources))).toEqual([]);
    expect(unknownFields(versionDocument(sources))).toEqual([]);
  });

  test('has no field of which the schema does not know, at any depth', () => {
    const document = versionDocument(FULL);
    const grown = { ...document, run: { ...document.run, mood: 1 }, version: { ...document.version, mood: 1 }, data: { ...document.data, mood: 1 } };
    // What later versions of the document may bring is allowed, and noticed by whoever wants to.
    expect(problems(grown)).toEqual([expect.stringMatching(/^\/data .*"mood"/)]);
    const noticed = ['/data', '/run', '/version'].map((place): unknown => expect.stringMatching(new RegExp(`^${place} .*"mood"`)));
    expect(unknownFields(grown)).toEqual(expect.arrayContaining(noticed));
  });

  test('with a digest that is none, or a field of its own, is not', () => {
    const document = versionDocument(FULL);
    const artifact = { ...FULL.version.artifact, sha256: 'short' };
    expect(problems({ ...document, version: { ...document.version, artifact } })).toHaveLength(1);
    expect(problems({ ...document, extra: 1 })).toHaveLength(1);
    expect(problems({ ...document, history: [{ action: 'Approved' }] })).not.toEqual([]);
  });

  test('tells the decisions on this version alone, and when it served', () => {
    const { history, decisions, served } = versionDocument(FULL);
    expect(history.map(({ sequence }) => sequence)).toEqual([2, 3, 4, 6]);
    expect(decisions.map(({ action }) => action)).toEqual(['Approved', 'Promoted', 'RolledBack']);
    expect(served).toEqual([{ from: HISTORY[3].at, to: HISTORY[4].at }, { from: HISTORY[5].at }]);
    expect(servedPeriods(1, HISTORY)).toEqual([
      { from: HISTORY[0].at, to: HISTORY[3].at },
      { from: HISTORY[4].at, to: HISTORY[5].at },
    ]);
  });

  test('takes the texts of the card from the version before the model', () => {
    expect(versionDocument(FULL).card).toEqual({ intendedUse: 'Plan the night shift', risks: 'Too few bikes' });
  });

  test('knows the metrics of groups by their names', () => {
    expect(groupMetrics({ rmse: 1, 'rmse/season:winter: cold': 2, 'a/b': 3 })).toEqual([
      { metric: 'rmse', column: 'season', group: 'winter: cold', value: 2 },
    ]);
  });
});

describe('the model card', () => {
  const card = modelCard(versionDocument(FULL));

  test('tells what is on record', () => {
    for (const part of [
      '# Model card: Demand version 2',
      '| owner | Ana |',
      'Rentals by the hour',
      '## Intended use\n\nPlan the night shift',
      '## Risks\n\nToo few bikes',
      '| rmse | 64.25 | 70 |',
      '| rmse | workingday | 0 | 70.5 |',
      '| training | 100 | 2026-01-01T00:00:00.000Z |',
      '| 2026-01-03T00:00:00.000Z | Approved | arn:aws:sts::1:assumed-role/Approver/ana | because 3 | s3://reports/gate.json |',
      '- run `run-2` (2026-01-01T00:00:00.000Z)\n  - data `data`',
      '| image digest | not told by its registry |',
    ])
      expect(card).toContain(part);
  });

  test('names the sections that nobody has filled, and how', () => {
    expect(card).toContain('## Mitigations\n\n_Empty: set the tag `mlops.card.mitigations` on the version or the model._');
    const bare = modelCard(versionDocument(LEAST));
    for (const empty of ['neither version nor model has a description', 'no schema is on record', 'no data are on record', 'no metric is on record'])
      expect(bare).toContain(`_Empty: ${empty}._`);
    expect(bare).toContain('Incomplete (its record lacks artifact, schema)');
    expect(bare).toContain('This version has never served.');
    expect(bare).not.toMatch(/undefined|null|\[object/);
  });

  test('what people typed stays text', () => {
    const tags = { [CARD_TAGS.risks]: '# Not a heading\n<script>alert(1)</script>', [CARD_TAGS.contact]: 'a | b\nc' };
    const typed = modelCard(versionDocument({ ...FULL, version: { ...VERSION, tags } }));
    expect(typed).toContain('\\# Not a heading\n&lt;script>');
    expect(typed).toContain('| contact | a \\| b c |');
    expect(typed).not.toContain('<script');
  });
});
