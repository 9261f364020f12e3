// Requests, units and bytes of each operation of the registry, counted at the SDK's client, with the CPU time of this process and the wall time.
import { onEngine } from './engine-tables.mjs';
import { line } from './line.mjs';
import { counting } from './table-units.mjs';

const VERSIONS = 100;
const ENGINE = 'bench-registry';

/** The record of the demo's model, with its 14 columns. */
const record = (runId) => ({
  artifact: { uri: `s3://artifacts/runs/Bikes/${runId}/model/job/output/model.tar.gz`, versionId: 'a1b2', sha256: 'a'.repeat(64), bytes: 1e5 },
  unpacked: { uri: `s3://artifacts/runs/Bikes/${runId}/mlflow`, sha256: 'e'.repeat(64), files: 6 },
  dataManifestUri: `s3://artifacts/runs/Bikes/${runId}/data-manifest.json`,
  dataId: 'd'.repeat(64),
  code: { uri: `s3://artifacts/runs/Bikes/${runId}/code/sourcedir.tar.gz`, sha256: 'b'.repeat(64), entryPoint: 'train.py', commit: 'c'.repeat(40) },
  inferenceCode: { uri: `s3://artifacts/runs/Bikes/${runId}/code/sourcedir.tar.gz`, sha256: 'b'.repeat(64), entryPoint: 'train.py' },
  dependencies: { uri: `s3://artifacts/runs/Bikes/${runId}/requirements.txt`, sha256: 'f'.repeat(64), origin: 'image' },
  image: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.0-5',
  imageDigest: `sha256:${'a'.repeat(64)}`,
  configuration: { uri: `s3://artifacts/runs/Bikes/${runId}/configuration.json`, sha256: '1'.repeat(64) },
  hyperparameters: { rounds: '120', eta: '0.1', depth: '6' },
  metrics: { rmse: 64.25, mae: 40.1, mse: 4128, r2: 0.91 },
  schema: { columns: Array.from({ length: 14 }, (_, index) => ({ name: `column_${index}`, type: 'number' })), target: 'cnt', timeColumn: 'at' },
  gate: { passed: true, reason: 'rmse 64.25 is not worse than 66.1 of v1', reportUri: `s3://reports/gate/Bikes/${runId}/gate.json` },
  baselineUri: `s3://reports/baselines/Bikes/${runId}/baseline.json`,
  sagemakerModelName: `mlops-bikes-${runId}`,
  runId,
  causeId: 'quality-2012-05',
  cause: 'rmse 120.5 is worse than 100 in the window from 2012-04-17 to 2012-05-01',
});

await onEngine(ENGINE, async ({ client, db, table, load }) => {
  await table('bench-registry', 'by-digest');
  await table('bench-history');
  const counter = counting(client);
  const { ModelRegistryClient } = load('lambda/registry/model-registry.client.ts');
  const { RegistryWriter } = load('lambda/registry/registry-writer.ts');
  // The writer in this process: what its function adds is one invocation.
  const registry = new ModelRegistryClient('bench-registry', 'bench-history', db, new RegistryWriter('bench-registry', 'bench-history', db));
  const by = { actor: 'arn:aws:sts::111122223333:assumed-role/DataScience/ana', reason: 'measured' };
  const pipeline = { actor: 'pipeline', reason: 'rmse 120.5 is worse than 100', evidenceUri: 's3://reports/gate/Bikes/run/gate.json' };

  /** One line for an operation that was done `times` times: means of what one took. */
  const measured = async (operation, times, work, most) => {
    counter.take();
    const cpu = process.cpuUsage();
    const started = performance.now();
    for (let turn = 0; turn < times; turn += 1) await work(turn);
    const { user, system } = process.cpuUsage(cpu);
    const wallMs = Math.round((10 * (performance.now() - started)) / times) / 10;
    const taken = Object.fromEntries(Object.entries(counter.take()).map(([name, value]) => [name, Math.round((10 * value) / times) / 10]));
    const cpuMs = Math.round((user + system) / 10 / times) / 100;
    line('registry requests', taken.readRequests + taken.writeRequests, 'requests', most, { operation, ...taken, cpuMs, wallMs });
  };

  await registry.registerVersion({ name: 'Bikes' }, { source: 's3://x', runId: 'first', record: record('first') }, pipeline);
  await measured('register version by a pipeline', VERSIONS, (turn) => {
    const runId = `run-${String(turn).padStart(4, '0')}`;
    return registry.registerVersion({ name: 'Bikes' }, { source: 's3://x', runId, record: record(runId) }, pipeline);
  });
  await measured('approve', 20, (turn) => registry.transition('Bikes', turn + 1, 'Approved', by));
  await measured('promote', 20, (turn) => registry.promote('Bikes', turn + 1, pipeline));
  await measured('champion', 100, () => registry.champion('Bikes'), 1);
  await measured('one version', 100, (turn) => registry.getVersion('Bikes', turn + 1));
  await measured('by alias', 100, () => registry.getByAlias('Bikes', 'champion'));
  await measured('page of 50 versions', 20, () => registry.listVersions('Bikes', { limit: 50 }), 6);
  await measured('versions of a run', 50, () => registry.versionsOfRun('run-0001'), 6);
  await measured('versions of an artifact, a page of 50', 20, () => registry.byDigest('a'.repeat(64), { limit: 50 }), 6);
  await measured('what served then', 100, () => registry.servedAt('Bikes', new Date().toISOString()));
  await measured('check of a history of 140 entries', 5, () => registry.verifyHistory('Bikes'));

  await measured('create model', 100, (turn) => registry.createModel({ name: `model-${String(turn).padStart(3, '0')}`, tags: { team: 'a' } }, by));
  await measured('create version', VERSIONS, () => registry.createVersion('model-000', { source: 'models:/m-1', runId: 'r', tags: { a: 'b' } }, by));
  await measured('set tag', 50, (turn) => registry.setVersionTag('model-000', 1, 'k', String(turn), by));
  await measured('set alias', 50, (turn) => registry.setAlias('model-000', 'best', turn + 1, by));
  await measured('change stage', 50, (turn) => registry.setStage('model-000', turn + 1, 'Staging', false, by));
  await measured('versions with a tag, a page of 50', 20, () => registry.byTag('a', 'b', { limit: 50 }), 6);
  await measured('page of 50 models', 20, () => registry.listModels({ limit: 50 }), 6);
  const { items } = await registry.listModels({ limit: 50 });
  await measured('newest versions of 50 models', 20, () => registry.latestOf(items), 6);
});
