import { register, registryOver, versionRecord } from '../../../../fakes/registry';
import { CALLER, MemoryApi } from '../api';

const api = new MemoryApi();

const call = async (method: string, path: string, body?: unknown) => {
  const { status, body: answer } = await api.json(method, path, body);
  return { status, code: answer.error_code as string | undefined, message: answer.message as string | undefined, answer };
};
const newModel = (name: string, more: object = {}) => call('POST', 'registered-models/create', { name, ...more });
const newVersion = (name: string, more: object = {}) => call('POST', 'model-versions/create', { name, source: 's3://b/m', ...more });

const experiment = async (name: string, artifactLocation?: string): Promise<string> =>
  (await call('POST', 'experiments/create', { name, artifact_location: artifactLocation })).answer.experiment_id as string;
const run = async (experimentId: string): Promise<string> =>
  (await call('POST', 'runs/create', { experiment_id: experimentId })).answer.run.info.run_id as string;

describe('models', () => {
  test('a name is taken once: the client goes on when it reads RESOURCE_ALREADY_EXISTS with 400', async () => {
    const { answer } = await newModel('once', { description: 'd', tags: [{ key: 'k', value: 'v' }] });
    expect(answer.registered_model).toMatchObject({ name: 'once', description: 'd', tags: [{ key: 'k', value: 'v' }] });
    expect(await newModel('once')).toMatchObject({
      status: 400,
      code: 'RESOURCE_ALREADY_EXISTS',
      message: 'Registered Model (name=once) already exists.',
    });
    expect(await newModel('once', { tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] })).toMatchObject({
      code: 'RESOURCE_ALREADY_EXISTS',
      message: expect.stringContaining('already taken by a registered model') as string,
    });
  });

  test.each(['a/b', 'a:b', ' ', '..'])('%j is no name', async (name) => {
    expect(await newModel(name)).toMatchObject({ status: 400, code: 'INVALID_PARAMETER_VALUE' });
  });

  test('a missing one is 404 by every call about it', async () => {
    const of = { name: 'nobody' };
    const calls: [string, string, object?][] = [
      ['GET', 'registered-models/get?name=nobody'],
      ['PATCH', 'registered-models/update', { ...of, description: 'd' }],
      ['POST', 'registered-models/rename', { ...of, new_name: 'n' }],
      ['DELETE', 'registered-models/delete', of],
      ['POST', 'registered-models/set-tag', { ...of, key: 'k', value: 'v' }],
      ['DELETE', 'registered-models/delete-tag', { ...of, key: 'k' }],
      ['GET', 'registered-models/alias?name=nobody&alias=a'],
      ['POST', 'registered-models/get-latest-versions', of],
      ['POST', 'model-versions/create', { ...of, source: 's3://b/m' }],
    ];
    for (const [method, path, body] of calls) {
      expect(await call(method, path, body)).toMatchObject({ status: 404, message: 'Registered Model with name=nobody not found' });
    }
  });

  test('versions, aliases and tags follow a new name; the old one is free', async () => {
    await newModel('before', { tags: [{ key: 'k', value: 'v' }] });
    await newVersion('before');
    await call('POST', 'registered-models/alias', { name: 'before', alias: 'best', version: '1' });
    expect((await call('POST', 'registered-models/rename', { name: 'before', new_name: 'after' })).answer.registered_model).toMatchObject({
      name: 'after',
      tags: [{ key: 'k', value: 'v' }],
      aliases: [{ alias: 'best', version: '1' }],
      latest_versions: [{ name: 'after', version: '1' }],
    });
    expect((await call('GET', 'model-versions/get?name=before&version=1')).status).toBe(404);
    expect((await newModel('before')).status).toBe(200);
  });

  test('tags: limits in characters, absence is no error', async () => {
    await newModel('tagged');
    const set = (key: string, value: string) => call('POST', 'registered-models/set-tag', { name: 'tagged', key, value });
    expect((await set('k', '😀'.repeat(100_000))).status).toBe(200);
    expect(await set('k', 'x'.repeat(100_001))).toMatchObject({ status: 400, message: "'value' exceeds the maximum length of 100000 characters" });
    expect((await set('k'.repeat(251), 'v')).status).toBe(400);
    expect((await set('../k', 'v')).status).toBe(400);
    expect((await call('DELETE', 'registered-models/delete-tag', { name: 'tagged', key: 'none' })).status).toBe(200);
  });
});

describe('versions', () => {
  test('numbers are texts, counted up, and never used again', async () => {
    await newModel('counted');
    const first = (await newVersion('counted')).answer.model_version as object;
    expect(first).toMatchObject({ version: '1', current_stage: 'None', status: 'READY', user_id: CALLER });
    await newVersion('counted');
    expect((await call('DELETE', 'model-versions/delete', { name: 'counted', version: '2' })).status).toBe(200);
    expect((await newVersion('counted')).answer.model_version.version).toBe('3');
    expect(await call('GET', 'model-versions/get?name=counted&version=2')).toMatchObject({
      status: 404,
      message: 'Model Version (name=counted, version=2) not found',
    });
    expect((await call('GET', 'model-versions/get?name=counted&version=x')).message).toBe("Parameter 'version' must be an integer, got 'x'.");
  });

  test('a version is told where its model is not', async () => {
    expect((await call('GET', 'model-versions/get?name=none&version=1')).message).toBe('Model Version (name=none, version=1) not found');
  });

  test('stages are read in any case, one can replace all others there', async () => {
    await newModel('staged');
    await newVersion('staged');
    await newVersion('staged');
    const move = (version: string, stage: string, archive = false) =>
      call('POST', 'model-versions/transition-stage', { name: 'staged', version, stage, archive_existing_versions: archive });
    await move('1', 'STAGING');
    expect((await move('2', 'staging', true)).answer.model_version.current_stage).toBe('Staging');
    const latest = await call('GET', 'registered-models/get-latest-versions?name=staged&stages=archived&stages=Staging');
    expect(latest.answer.model_versions).toMatchObject([
      { version: '1', current_stage: 'Archived' },
      { version: '2', current_stage: 'Staging' },
    ]);
    expect((await move('1', 'Live')).message).toContain('Invalid Model Version stage: Live. Value must be one of');
    expect((await move('1', 'Archived', true)).status).toBe(400);
  });

  test('an alias names one version, ends with it, and is 400 where it is absent', async () => {
    await newModel('aliased');
    await newVersion('aliased');
    await newVersion('aliased');
    const set = (alias: string, version: string) => call('POST', 'registered-models/alias', { name: 'aliased', alias, version });
    await set('best', '1');
    await set('best', '2');
    const get = () => call('GET', 'registered-models/alias?name=aliased&alias=best');
    expect((await get()).answer.model_version).toMatchObject({ version: '2', aliases: ['best'] });
    expect((await call('GET', 'registered-models/alias?name=aliased&alias=LATEST')).answer.model_version.version).toBe('2');
    await call('DELETE', 'model-versions/delete', { name: 'aliased', version: '2' });
    expect(await get()).toMatchObject({ status: 400, code: 'INVALID_PARAMETER_VALUE', message: 'Registered model alias best not found.' });
    for (const alias of ['latest', 'v1', 'a b']) expect((await set(alias, '1')).status).toBe(400);
    expect((await set('good', '9')).status).toBe(404);
    expect((await call('DELETE', 'registered-models/alias', { name: 'aliased', alias: 'none' })).status).toBe(200);
  });

  test('a run that made a version is linked to it', async () => {
    await newModel('linked');
    const runId = await run(await experiment('linked'));
    await newVersion('linked', { run_id: runId, source: `runs:/${runId}/model` });
    const found = (await call('GET', `model-versions/search?filter=run_id%3D'${runId}'`)).answer;
    expect(found.model_versions).toMatchObject([{ name: 'linked', version: '1', run_id: runId }]);
    expect(api.dynamo.items('runs').some(({ pk, sk }) => pk === `NODE#run#${runId}` && sk === 'OUT#version#linked/1')).toBe(true);
  });
});

describe('sources', () => {
  test('of a logged model: its run is filled in, its place is what is downloaded, and it knows its versions', async () => {
    await newModel('logged');
    const experimentId = await experiment('logged');
    const runId = await run(experimentId);
    const made = await call('POST', 'logged-models', { experiment_id: experimentId, source_run_id: runId });
    const { model_id: modelId, artifact_uri: uri } = made.answer.model.info as Record<string, string>;
    const source = `models:/${modelId}`;
    expect((await newVersion('logged', { source, model_id: modelId })).answer.model_version).toMatchObject({ run_id: runId, source });
    expect((await call('GET', 'model-versions/get-download-uri?name=logged&version=1')).answer.artifact_uri).toBe(uri);
    const { tags } = (await call('GET', `logged-models/${modelId}`)).answer.model.info as { tags: { key: string; value: string }[] };
    expect(JSON.parse(tags.find(({ key }) => key === 'mlflow.modelVersions')!.value)).toEqual([{ name: 'logged', version: '1' }]);
    expect((await newVersion('logged', { source })).message).toContain('The model_id request parameter must identify');
    expect((await newVersion('logged', { source: `models:/m-${'0'.repeat(32)}`, model_id: `m-${'0'.repeat(32)}` })).status).toBe(404);
  });

  test('of another version: alias and latest become its number, run and files are its own', async () => {
    await newModel('original');
    await newVersion('original', { source: 's3://b/original' });
    await newModel('copy');
    expect((await newVersion('copy', { source: 'models:/original/latest' })).answer.model_version.source).toBe('models:/original/1');
    expect((await call('GET', 'model-versions/get-download-uri?name=copy&version=1')).answer.artifact_uri).toBe('s3://b/original');
    expect((await newVersion('copy', { source: 'models:/original/1', run_id: 'other' })).status).toBe(400);
    expect((await newVersion('copy', { source: 'models:/nobody/1' })).status).toBe(404);
    expect((await newVersion('copy', { source: 'models://host/original/1' })).status).toBe(400);
  });

  test.each([
    '/tmp/model',
    'file:///tmp/model',
    './model',
    's3://b/a/../c',
    's3://b/a/%2e%2e/c',
    's3://b/a/%2e%2e/%',
    'https://host/api/2.0/mlflow-artifacts/artifacts/x',
    'mlflow-artifacts:/x',
    'runs:/0123/model',
  ])('%s is not for the caller to name', async (source) => {
    await newModel('guarded');
    const { status, message } = await newVersion('guarded', { source });
    expect(status).toBe(400);
    expect(message).toContain(`Invalid model version source: '${source}'`);
  });

  test("a proxied place within the run's own is", async () => {
    await newModel('proxied');
    const runId = await run(await experiment('proxied', 'mlflow-artifacts:/p'));
    expect((await newVersion('proxied', { source: `mlflow-artifacts:/p/${runId}/artifacts/model`, run_id: runId })).status).toBe(200);
    expect((await newVersion('proxied', { source: 'mlflow-artifacts:/p/other/artifacts', run_id: runId })).status).toBe(400);
  });

  test('prompts are models with a tag, without files', async () => {
    const tags = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }];
    await newModel('greeting', { tags });
    expect((await newVersion('greeting', { source: 'dummy-source', tags })).status).toBe(200);
    expect((await newVersion('greeting', { source: 's3://b/m', tags })).status).toBe(400);
    const names = async (filter: string) => {
      const { answer } = await call('GET', `registered-models/search?filter=${encodeURIComponent(filter)}`);
      return (answer.registered_models as { name: string }[]).map(({ name }) => name);
    };
    expect(await names("tag.`mlflow.prompt.is_prompt` = 'true'")).toEqual(['greeting']);
    expect(await names("tag.`mlflow.prompt.is_prompt` != 'true'")).not.toContain('greeting');
    expect((await newVersion('guarded', { source: 'models:/greeting/1' })).message).toContain('Prompt versions cannot be used');
  });
});

describe('decisions about versions', () => {
  const decide = async (what: string, body: object, prefix: '/iam' | '/token' = '/iam') => {
    const answer = await api.call({
      method: 'POST',
      path: `/api/2.0/mlops/registry/${what}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      prefix,
    });
    return { status: answer.status, body: JSON.parse(answer.bytes.toString()) as Awaited<ReturnType<typeof api.json>>['body'] };
  };
  const reason = 'reviewed';

  test('import makes model and version, and every decision carries its caller into the history', async () => {
    const made = await decide('import', { name: 'elsewhere', source: 's3://b/m', owner: 'ana', tags: { from: 'lab' }, reason });
    expect(made.body.model_version).toMatchObject({ name: 'elsewhere', version: '1', state: 'Incomplete' });
    expect(made.body.model_version.missing).toContain('artifact');
    expect((await decide('reject', { name: 'elsewhere', version: 1, reason })).body.model_version.state).toBe('Rejected');
    expect((await decide('archive', { name: 'elsewhere', version: '1', reason })).body.model_version.state).toBe('Archived');
    expect((await decide('promote', { name: 'elsewhere', version: 1, reason, expected_champion: null })).body.model_version).toMatchObject({
      state: 'Production',
      aliases: ['champion'],
    });
    expect((await decide('owner', { name: 'elsewhere', owner: 'eve', reason })).status).toBe(200);
    const history = api.dynamo.items('history');
    expect(history.filter(({ actor, reason: why }) => actor === CALLER && why === reason).map(({ action }) => action)).toEqual(
      expect.arrayContaining(['Created', 'Registered', 'Rejected', 'Archived', 'OwnerChanged']),
    );
  });

  test('a rule of two persons holds for models that people decide about; a pipeline has the rules of its app', async () => {
    await decide('import', { name: 'careful', source: 's3://b/m', reason });
    const rules = [{ state: 'Approved', two_person: true, evidence: true }];
    expect((await decide('rules', { name: 'careful', rules, reason })).status).toBe(200);
    const step = (to: string, more: object = {}) => decide('transition', { name: 'careful', version: 1, to, reason, ...more });
    expect((await step('PendingApproval')).status).toBe(200);
    expect(await step('Approved')).toMatchObject({ status: 403, body: { message: expect.stringContaining('evidence for Approved') } });
    const alone = await step('Approved', { evidence_uri: 's3://b/report' });
    expect(alone).toMatchObject({ status: 403, body: { message: expect.stringContaining('two persons for Approved') } });
    await register(registryOver(api.dynamo.client()), 'kept', versionRecord('run-8'), { actor: 'pipeline', reason });
    expect(await decide('rules', { name: 'kept', rules: [], reason })).toMatchObject({ status: 403 });
    expect(await decide('rules', { name: 'careful', rules: [{ state: 'Nowhere' }], reason })).toMatchObject({ status: 400 });
  });

  test('what a pipeline serves is not promoted by hand, whoever asks: the endpoint would not follow', async () => {
    await register(registryOver(api.dynamo.client()), 'served', versionRecord('run-9'), { actor: 'pipeline', reason });
    await decide('approve', { name: 'served', version: 1, reason });
    const refused = await decide('promote', { name: 'served', version: 1, reason });
    expect(refused).toMatchObject({
      status: 403,
      body: { error_code: 'PERMISSION_DENIED', message: expect.stringContaining('moves with the endpoint') },
    });
  });

  test('a step that is not allowed, a missing reason and a missing version are told apart', async () => {
    await decide('import', { name: 'steps', source: 's3://b/m', reason });
    expect((await decide('transition', { name: 'steps', version: 1, to: 'Production', reason })).status).toBe(400);
    expect((await decide('reject', { name: 'steps', version: 1 })).body.message).toContain("parameter 'reason'");
    expect((await decide('reject', { name: 'steps', version: 7, reason })).status).toBe(404);
    expect((await decide('reject', { name: 'steps', version: 1, reason, unknown: 1 })).status).toBe(400);
  });

  test('a bearer token decides nothing', async () => {
    const { status, body } = await decide('reject', { name: 'steps', version: 1, reason }, '/token');
    expect([status, body.error_code]).toEqual([401, 'UNAUTHENTICATED']);
  });
});
