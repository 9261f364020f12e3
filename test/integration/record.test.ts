import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { hoursOf, readHours, REQUEST_COLUMNS, requestCsv, trainingCsv } from '../../cli/demo/bike-data';
import { main } from '../../cli/program';
import { S3Files } from '../../lambda/common/s3.client';
import type { UnpackedManifest } from '../../lambda/registry/unpack';
import type { RebuildComparison } from '../../lib/pipeline/contract';
import type { RunRecord } from '../../lib/tracking/contract';
import { fakeIo } from '../cli/fake-io';
import { unknownFields } from '../fakes/version-schema';
import { bikes } from './bikes';
import { client, deploy, eventually, projectRoot, useEngine, type Deployment } from './harness';
import { DeployedModel } from './loop';

const HOURS = readHours(path.join(projectRoot, 'examples/bike-sharing/data/hour.csv'));

/** What the demo's users would type; answers what was printed. */
const mlops = async (...args: string[]): Promise<string> => {
  const { io, written } = fakeIo();
  process.exitCode = undefined;
  const code = await main([...args, '--platform', 'record'], io);
  process.exitCode = undefined;
  if (code !== 0) throw new Error(`mlops ${args.join(' ')} ended with ${code}: ${written.out}${written.err}`);
  return written.out;
};

describe('the record of a version that the pipeline made', () => {
  let deployment: Deployment;
  let model: DeployedModel;
  let run: RunRecord;
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'mlops-record-'));

  beforeAll(async () => {
    deployment = await deploy(bikes('Record', 'record'));
    model = await DeployedModel.find('record', 'Bikes');
    await model.upload('2011.csv', trainingCsv(hoursOf(HOURS, '2011')));
    run = await model.train('first version', '2012-01-01T00:00:00Z');
  }, 240_000);
  afterAll(async () => {
    rmSync(scratch, { recursive: true, force: true });
    await deployment.destroy();
  }, 120_000);

  const champion = async () => {
    const version = await model.platform.registry.champion('Bikes');
    if (!version) throw new Error('nothing serves');
    return version;
  };

  test('lacks nothing', async () => {
    expect(run.error).toBeUndefined();
    expect(run).toMatchObject({ status: 'FINISHED', outcome: 'promoted', version: 1 });
    const version = await champion();
    expect(version).toMatchObject({
      missing: [],
      artifact: { uri: expect.stringMatching(/^s3:/), versionId: expect.any(String), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      unpacked: { uri: version.source, files: 9 },
      dependencies: { origin: 'image' },
      hyperparameters: { rounds: '40', sagemaker_program: 'train.py' },
    });
  });

  test('tells every step of the run with its times, inputs and outputs', async () => {
    const { steps, billed, costUsd = 0, metrics } = await eventually('the bill of the run', async () => {
      const record = await model.platform.runs.getRun(run.runId);
      return record.metrics.costUsd === undefined ? undefined : record;
    });
    const seconds = steps.reduce((sum, { outputs }) => sum + Number(outputs?.billableSeconds ?? 0), 0);
    expect(billed).toEqual([{ instanceType: 'ml.m5.large', seconds }]);
    expect(costUsd).toBeCloseTo((seconds / 3600) * 0.36, 5);
    expect(metrics.costUsd).toBe(costUsd);
    expect(steps.map(({ name, status }) => `${name} ${status}`)).toEqual(
      ['prepare-data', 'train', 'create-candidate', 'score', 'evaluate', 'baseline', 'register', 'approve', 'release', 'promote', 'finish'].map(
        (name) => `${name} FINISHED`,
      ),
    );
    expect(steps[1]).toMatchObject({
      inputs: { instanceType: 'ml.m5.large' },
      outputs: { job: expect.any(String), billableSeconds: expect.stringMatching(/^\d+$/) },
    });
    for (const { startTime, endTime = '' } of steps) expect(Date.parse(endTime)).toBeGreaterThanOrEqual(Date.parse(startTime));
  });

  test('leads from the data to the predictions, hop by hop', async () => {
    const { lineage, resources } = model.platform;
    const { dataId = '' } = await champion();
    const node = { kind: 'version', id: 'Bikes/1' } as const;
    expect((await lineage.from(node)).map((edge) => edge.node)).toEqual([{ kind: 'run', id: run.runId }]);
    expect((await lineage.from({ kind: 'run', id: run.runId })).map((edge) => edge.node)).toEqual([{ kind: 'data', id: dataId }]);
    const [endpoint] = await lineage.to(node);
    expect(endpoint.node).toEqual({ kind: 'endpoint', id: model.resources.endpointName });
    const [{ node: predictions }] = await lineage.to(endpoint.node);
    expect(predictions.id).toBe(`s3://${resources.predictionsBucket}/capture/${model.resources.endpointName}/primary/`);
  });

  test('holds files whose pyfunc loader answers exactly what the endpoint answers', async () => {
    const files = new S3Files();
    const { unpacked } = await champion();
    const root = unpacked?.uri ?? '';
    const manifest = await files.readJson<UnpackedManifest>(`${root}manifest.json`);
    for (const file of manifest.files) {
      mkdirSync(path.dirname(path.join(scratch, file.path)), { recursive: true });
      writeFileSync(path.join(scratch, file.path), await files.readBytes(root + file.path));
    }
    const rows = requestCsv(hoursOf(HOURS, '2012-01')).trim();
    writeFileSync(path.join(scratch, 'rows.csv'), `${REQUEST_COLUMNS.join(',')}\n${rows}\n`);
    const script = [
      'import json, os, sys, pandas',
      'root = sys.argv[1]',
      'sys.path.insert(0, os.path.join(root, "code"))',
      'import mlops_pyfunc',
      'model = mlops_pyfunc._load_pyfunc(root)',
      'print(json.dumps(model.predict(pandas.read_csv(os.path.join(root, "rows.csv"))).tolist()))',
    ].join('\n');
    const loaded = JSON.parse(execFileSync(useEngine().python, ['-c', script, scratch], { encoding: 'utf8' })) as number[];
    const answer = await client(LambdaClient).send(
      new InvokeCommand({
        FunctionName: model.resources.recorderFunction,
        Payload: JSON.stringify({ body: rows, contentType: 'text/csv', accept: 'text/csv' }),
      }),
    );
    const { body } = JSON.parse(Buffer.from(answer.Payload ?? []).toString()) as { body: string };
    expect(loaded).toHaveLength(hoursOf(HOURS, '2012-01').length);
    expect(loaded).toEqual(body.trim().split('\n').map(Number));
  });

  test('makes the same model once more, also after the data set has grown', async () => {
    await model.upload('2012-01.csv', trainingCsv(hoursOf(HOURS, '2012-01')));
    const comparison = JSON.parse(await mlops('models', 'rebuild', 'Bikes', '1', '--json')) as RebuildComparison & { runId: string };
    expect(comparison).toMatchObject({ equal: true, version: 1 });
    expect(comparison.compared).toBeGreaterThan(8);
    const rebuild = await model.platform.runs.getRun(comparison.runId);
    expect(rebuild).toMatchObject({ status: 'FINISHED', outcome: 'rebuilt', params: { rebuildOf: '1' } });
    expect(rebuild.steps.find(({ name }) => name === 'compare')).toMatchObject({ status: 'FINISHED', outputs: { equal: 'true' } });
    expect((await model.platform.registry.listVersions('Bikes')).items).toHaveLength(1);
    expect(await model.decisions()).toHaveLength(1);
  }, 120_000);

  test('leaves the machine as a document and as a card', async () => {
    const document = JSON.parse(await mlops('models', 'export', 'Bikes', '1')) as { version: { missing: string[] }; served: unknown[] };
    expect(document).toMatchObject({ schemaVersion: 1, version: { missing: [] }, decisions: [{ action: 'Approved' }, { action: 'Promoted' }] });
    expect(document.served).toHaveLength(1);
    expect(unknownFields(document)).toEqual([]);
    const card = await mlops('models', 'card', 'Bikes', '1');
    expect(card).toContain('# Model card: Bikes version 1');
    expect(card).toContain('_Empty: set the tag `mlops.card.intendedUse` on the version or the model._');
  });
});
