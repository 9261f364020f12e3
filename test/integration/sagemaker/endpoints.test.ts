import { setTimeout as sleep } from 'node:timers/promises';
import {
  Bench,
  type Description,
  INFERENCE,
  SCIKIT_LEARN_IMAGE,
  archiveOf,
  configRequest,
  modelRequest,
  prepare,
} from './support';

jest.setTimeout(60_000);

const serverless = (name: string, model: string, concurrency = 5) => ({
  EndpointConfigName: name,
  ProductionVariants: [{ VariantName: 'AllTraffic', ModelName: model, ServerlessConfig: { MemorySizeInMB: 2048, MaxConcurrency: concurrency } }],
});

/** Answers every request with the same word. */
const saying = (word: string) => ({
  'inference.py': [
    'import time',
    'def model_fn(directory):\n    return None',
    'def transform_fn(model, body, content_type, accept):',
    '    time.sleep(float(body) if body.strip() else 0)',
    `    return '${word}', 'text/plain'`,
  ].join('\n'),
});

describe('endpoints', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await Bench.start(0.1);
    await prepare(bench);
    for (const [name, files] of [
      ['red', saying('red')],
      ['blue', saying('blue')],
      ['broken', { 'inference.py': 'def model_fn(directory):\n    raise RuntimeError("no such model")' }],
    ] as const) {
      await bench.call('CreateModel', modelRequest(name, 'first', { SAGEMAKER_SUBMIT_DIRECTORY: bench.code(name, files) }));
      await bench.call('CreateEndpointConfig', configRequest(`${name}-config`, name));
    }
  });
  afterAll(() => bench.stop());

  const create = async (name: string, config: string) => {
    await bench.call('CreateEndpoint', { EndpointName: name, EndpointConfigName: config });
    return bench.settled(name);
  };
  const weights = async (name: string) => {
    const { ProductionVariants } = await bench.call<{ ProductionVariants: Description[] }>('DescribeEndpoint', { EndpointName: name });
    return ProductionVariants.map(({ CurrentWeight }) => CurrentWeight);
  };

  test('serves a trained model, records metrics, captures in the exact layout and tells its states', async () => {
    const capture = {
      DataCaptureConfig: {
        EnableCapture: true,
        InitialSamplingPercentage: 100,
        DestinationS3Uri: 's3://data/capture/',
        CaptureOptions: [{ CaptureMode: 'Input' }, { CaptureMode: 'Output' }],
        CaptureContentTypeHeader: { CsvContentTypes: ['text/csv'] },
      },
    };
    await bench.call('CreateEndpointConfig', configRequest('captured', 'model-1', capture));
    expect(await create('bikes', 'captured')).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'captured',
      ProductionVariants: [{ VariantName: 'AllTraffic', CurrentWeight: 1, CurrentInstanceCount: 1 }],
      DataCaptureConfig: { EnableCapture: true, CaptureStatus: 'Started', CurrentSamplingPercentage: 100 },
    });

    const answer = await bench.invoke('bikes', '10,20\n30,40\n', { 'x-amzn-sagemaker-inference-id': 'hour-1' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-amzn-invoked-production-variant')).toBe('AllTraffic');
    expect(answer.headers.get('content-type')).toBe('text/csv');
    const [first, second] = (await answer.text()).trim().split('\n').map(Number);
    expect(Math.abs(first - 40)).toBeLessThan(3);
    expect(Math.abs(second - 100)).toBeLessThan(3);

    const refused = await bench.invoke('bikes', '1,2,3');
    expect(refused.status).toBe(424);
    expect(refused.headers.get('x-amzn-errortype')).toBe('ModelError');
    expect(await refused.json()).toMatchObject({
      OriginalStatusCode: 400,
      OriginalMessage: expect.stringContaining('expected 2 columns, got 3'),
      LogStreamArn: expect.stringContaining(':log-group:/aws/sagemaker/Endpoints/bikes:log-stream:AllTraffic/'),
    });

    await sleep(1700);
    const keys = bench.engine.keys('data/capture/');
    expect(keys).toHaveLength(1);
    expect(keys[0]).toMatch(/^data\/capture\/bikes\/AllTraffic\/\d{4}\/\d\d\/\d\d\/\d\d\/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl$/);
    const lines = bench.engine.text(keys[0])!.trimEnd().split('\n').map((line) => JSON.parse(line));
    expect(lines).toEqual([
      {
        captureData: {
          endpointInput: { observedContentType: 'text/csv', mode: 'INPUT', data: '10,20\n30,40\n', encoding: 'CSV' },
          endpointOutput: { observedContentType: 'text/csv', mode: 'OUTPUT', data: expect.any(String), encoding: 'CSV' },
        },
        eventMetadata: {
          eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          inferenceId: 'hour-1',
          inferenceTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        },
        eventVersion: '0',
      },
    ]);

    const sum = (metric: string) =>
      bench.engine.metrics
        .filter(({ name, dimensions }) => name === metric && dimensions.join('/') === 'bikes/AllTraffic')
        .reduce((total, { value }) => total + value, 0);
    expect(sum('Invocations')).toBe(2);
    expect(sum('Invocation4XXErrors')).toBe(1);
    expect(sum('Invocation5XXErrors')).toBe(0);
    expect(sum('ModelLatency')).toBeGreaterThan(100);
    expect(bench.engine.logLines('/aws/sagemaker/Endpoints/bikes').join('\n')).toContain('ValueError: expected 2 columns, got 3');
    const states = bench.engine.events.filter(({ Detail }) => Detail.EndpointName === 'bikes').map(({ Detail }) => Detail.EndpointStatus);
    expect(states).toEqual(['CREATING', 'IN_SERVICE']);
  });

  test('a content type that is not listed is captured as base64, and only what the options name', async () => {
    const options = { InitialSamplingPercentage: 100, DestinationS3Uri: 's3://data/other', CaptureOptions: [{ CaptureMode: 'Input' }] };
    await bench.call('CreateEndpointConfig', configRequest('plain', 'model-1', { DataCaptureConfig: options }));
    await create('plain', 'plain');
    await bench.invoke('plain', '1,2');
    // What is captured is not lost when the endpoint goes before the next write.
    await bench.call('DeleteEndpoint', { EndpointName: 'plain' });
    while (bench.engine.keys('data/other/').length === 0) await sleep(20);
    const { captureData } = JSON.parse(bench.engine.text(bench.engine.keys('data/other/')[0])!);
    expect(captureData).toEqual({
      endpointInput: { observedContentType: 'text/csv', mode: 'INPUT', data: Buffer.from('1,2').toString('base64'), encoding: 'BASE64' },
    });
  });

  test('an update switches between two models without one failed request', async () => {
    await create('switch', 'red-config');
    let running = true;
    const statuses: number[] = [];
    const words: string[] = [];
    const clients = Array.from({ length: 4 }, async () => {
      while (running) {
        const answer = await bench.invoke('switch', '0.01');
        statuses.push(answer.status);
        words.push(await answer.text());
      }
    });
    await bench.call('UpdateEndpoint', { EndpointName: 'switch', EndpointConfigName: 'blue-config' });
    expect(await bench.call('DescribeEndpoint', { EndpointName: 'switch' })).toMatchObject({
      EndpointStatus: 'Updating',
      EndpointConfigName: 'red-config',
      PendingDeploymentSummary: { EndpointConfigName: 'blue-config', ProductionVariants: [{ VariantName: 'AllTraffic' }] },
    });
    const busy = await bench.refused('UpdateEndpoint', { EndpointName: 'switch', EndpointConfigName: 'red-config' });
    expect(busy.message).toContain('Cannot update in-progress endpoint');
    const after = await bench.settled('switch');
    await sleep(300);
    running = false;
    await Promise.all(clients);
    expect(after).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'blue-config' });
    expect(after.PendingDeploymentSummary).toBeUndefined();
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(new Set(words)).toEqual(new Set(['red', 'blue']));
    expect(words.slice(-4)).toEqual(['blue', 'blue', 'blue', 'blue']);
  });

  test('an update whose model fails its ping rolls back silently: in service on the old configuration, with the reason', async () => {
    await create('sturdy', 'red-config');
    await bench.call('UpdateEndpoint', { EndpointName: 'sturdy', EndpointConfigName: 'broken-config' });
    const endpoint = await bench.settled('sturdy');
    expect(endpoint).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'red-config' });
    expect(endpoint.FailureReason).toContain('The primary container for production variant AllTraffic did not pass the ping health check.');
    expect(endpoint.FailureReason).toContain('RuntimeError: no such model');
    expect(await (await bench.invoke('sturdy', '')).text()).toBe('red');
  });

  test('a new endpoint whose model fails its ping ends Failed and can only be deleted', async () => {
    const endpoint = await create('dead', 'broken-config');
    expect(endpoint).toMatchObject({ EndpointStatus: 'Failed', FailureReason: expect.stringContaining('did not pass the ping health check') });
    expect((await bench.invoke('dead', '')).status).toBe(400);
    const refused = await bench.refused('UpdateEndpoint', { EndpointName: 'dead', EndpointConfigName: 'red-config' });
    expect(refused.message).toContain('Cannot update failed endpoint');
    await bench.call('DeleteEndpoint', { EndpointName: 'dead' });
  });

  test('canary traffic rolls back when a named alarm goes off, and goes through when it does not', async () => {
    await create('careful', 'red-config');
    const DeploymentConfig = {
      BlueGreenUpdatePolicy: {
        TrafficRoutingConfiguration: { Type: 'CANARY', WaitIntervalInSeconds: 10, CanarySize: { Type: 'CAPACITY_PERCENT', Value: 50 } },
      },
      AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'errors' }] },
    };
    const update = { EndpointName: 'careful', EndpointConfigName: 'blue-config', DeploymentConfig };
    await bench.call('UpdateEndpoint', update);
    const words = new Set<string>();
    while (words.size < 2) words.add(await (await bench.invoke('careful', '')).text());
    bench.engine.alarmState = 'ALARM';
    expect(await bench.settled('careful')).toMatchObject({ EndpointConfigName: 'red-config', FailureReason: expect.stringContaining('(errors)') });
    bench.engine.alarmState = 'OK';
    await bench.call('UpdateEndpoint', update);
    expect(await bench.settled('careful')).toMatchObject({ EndpointConfigName: 'blue-config', EndpointStatus: 'InService' });
  });

  test('variants share traffic by weight, and weights change without a new configuration', async () => {
    const variant = (name: string, InitialVariantWeight: number) => ({
      VariantName: name,
      ModelName: name,
      InstanceType: 'ml.m5.large',
      InitialInstanceCount: 1,
      InitialVariantWeight,
    });
    await bench.call('CreateEndpointConfig', { EndpointConfigName: 'both', ProductionVariants: [variant('red', 1), variant('blue', 0)] });
    await create('both', 'both');
    const word = async (target?: string) => (await bench.invoke('both', '', target ? { 'x-amzn-sagemaker-target-variant': target } : {})).text();
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => word())))).toEqual(new Set(['red']));
    expect(await word('blue')).toBe('blue');
    const DesiredWeightsAndCapacities = [
      { VariantName: 'red', DesiredWeight: 0 },
      { VariantName: 'blue', DesiredWeight: 1 },
    ];
    await bench.call('UpdateEndpointWeightsAndCapacities', { EndpointName: 'both', DesiredWeightsAndCapacities });
    await bench.settled('both');
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => word())))).toEqual(new Set(['blue']));
    expect(await weights('both')).toEqual([0, 1]);
    await bench.call('UpdateEndpoint', { EndpointName: 'both', EndpointConfigName: 'both', RetainAllVariantProperties: true });
    await bench.settled('both');
    expect(await weights('both')).toEqual([0, 1]);
  });

  test('a serverless endpoint serves, throttles beyond its concurrency and cannot replace a real-time one', async () => {
    await bench.call('CreateEndpointConfig', serverless('small', 'red', 2));
    expect(await create('small', 'small')).toMatchObject({
      ProductionVariants: [{ CurrentServerlessConfig: { MemorySizeInMB: 2048, MaxConcurrency: 2 } }],
    });
    const answers = await Promise.all(Array.from({ length: 5 }, () => bench.invoke('small', '0.3')));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 429, 429, 429]);
    expect(answers.find(({ status }) => status === 429)!.headers.get('x-amzn-errortype')).toBe('ThrottlingException');
    await create('real-time', 'red-config');
    const refused = await bench.refused('UpdateEndpoint', { EndpointName: 'real-time', EndpointConfigName: 'small' });
    expect(refused).toMatchObject({ __type: 'ValidationException', message: expect.stringContaining('serverless') });
  });

  test('the default handlers of the scikit-learn image read CSV and answer JSON', async () => {
    const script = 'class Sum:\n    def predict(self, rows):\n        return rows.sum(axis=1)\ndef model_fn(d):\n    return Sum()';
    const request = modelRequest('sum', 'first', { SAGEMAKER_SUBMIT_DIRECTORY: bench.code('sum', { 'inference.py': script }) });
    await bench.call('CreateModel', { ...request, PrimaryContainer: { ...request.PrimaryContainer, Image: SCIKIT_LEARN_IMAGE } });
    await bench.call('CreateEndpointConfig', serverless('sum', 'sum'));
    await create('sum', 'sum');
    expect(await (await bench.invoke('sum', '1,2\n3,4')).json()).toEqual([3, 7]);
    expect(await (await bench.invoke('sum', '1,2\n3,4', { accept: 'text/csv' })).text()).toBe('3.0\n7.0\n');
    expect(await (await bench.invoke('sum', 'x', { 'content-type': 'image/png' })).json()).toMatchObject({ OriginalStatusCode: 415 });
    expect(await (await bench.invoke('sum', '1,2\n3,4', { accept: 'image/png' })).json()).toMatchObject({ OriginalStatusCode: 406 });
  });

  test('a container that dies while it serves is started again', async () => {
    const answerOrDie = 'def transform_fn(model, body, content_type, accept):\n    return os._exit(9) if body == "die" else "alive"';
    const code = bench.code('mortal', { 'inference.py': `import os\ndef model_fn(directory):\n    return None\n${answerOrDie}` });
    await bench.call('CreateModel', modelRequest('mortal', 'first', { SAGEMAKER_SUBMIT_DIRECTORY: code }));
    await bench.call('CreateEndpointConfig', configRequest('mortal', 'mortal'));
    await create('mortal', 'mortal');
    expect((await bench.invoke('mortal', 'die')).status).toBe(424);
    let answer = await bench.invoke('mortal', 'live');
    while (answer.status !== 200) {
      await sleep(50);
      answer = await bench.invoke('mortal', 'live');
    }
    expect(await answer.text()).toBe('alive');
  });

  test('names, unknown names and deletions follow the service', async () => {
    await create('Named', 'red-config');
    const again = await bench.refused('CreateEndpoint', { EndpointName: 'named', EndpointConfigName: 'red-config' });
    expect(again.message).toBe('Cannot create already existing endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/named".');
    await bench.call('DeleteEndpoint', { EndpointName: 'Named' });
    for (;;) {
      const { status, body } = await bench.attempt('DescribeEndpoint', { EndpointName: 'Named' });
      if (status === 400) {
        expect(body.message).toBe('Could not find endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/named".');
        break;
      }
      await sleep(20);
    }
    expect((await bench.refused('CreateModel', modelRequest('red', 'first'))).message).toContain('Cannot create already existing model');
    expect((await bench.refused('CreateModel', modelRequest('gone', 'never'))).message).toContain('Could not find model data at');
    expect((await bench.refused('CreateEndpointConfig', configRequest('x', 'nothing'))).message).toContain('Could not find model');
    const unconfigured = await bench.refused('CreateEndpoint', { EndpointName: 'x', EndpointConfigName: 'nothing' });
    expect(unconfigured.message).toContain('Could not find endpoint config');
    const unknown = await bench.invoke('nothing', '');
    expect(unknown.status).toBe(400);
    expect(await unknown.json()).toMatchObject({ __type: 'ValidationError', message: 'Endpoint nothing of account 000000000000 not found.' });
  });

  test('tags are kept per resource and go with it', async () => {
    const Tags = [{ Key: 'team', Value: 'bikes' }];
    const { ModelArn: ResourceArn } = await bench.call<{ ModelArn: string }>('CreateModel', { ...modelRequest('tagged', 'first'), Tags });
    await bench.call('AddTags', { ResourceArn, Tags: [{ Key: 'cost', Value: '1' }] });
    await bench.call('DeleteTags', { ResourceArn, TagKeys: ['team'] });
    expect(await bench.call('ListTags', { ResourceArn })).toEqual({ Tags: [{ Key: 'cost', Value: '1' }] });
    await bench.call('DeleteModel', { ModelName: 'tagged' });
    expect((await bench.refused('ListTags', { ResourceArn })).__type).toBe('ResourceNotFound');
  });
});

test('a model that never comes up fails after the start-up limit', async () => {
  const bench = await Bench.start(0.01);
  bench.engine.put('artifacts/models/any/output/model.tar.gz', archiveOf({ 'model.json': '{}' }));
  const hanging = bench.code('hang', { 'inference.py': 'import time\ndef model_fn(directory):\n    time.sleep(600)' });
  await bench.call('CreateModel', modelRequest('hang', 'any', { SAGEMAKER_SUBMIT_DIRECTORY: hanging }));
  const [variant] = configRequest('hang', 'hang').ProductionVariants;
  await bench.call('CreateEndpointConfig', {
    EndpointConfigName: 'hang',
    ProductionVariants: [{ ...variant, ContainerStartupHealthCheckTimeoutInSeconds: 60 }],
  });
  await bench.call('CreateEndpoint', { EndpointName: 'hang', EndpointConfigName: 'hang' });
  expect(await bench.settled('hang')).toMatchObject({ EndpointStatus: 'Failed', FailureReason: expect.stringContaining('did not answer in time') });
  await bench.stop();
});

test('requests without the token of the engine are refused', async () => {
  const bench = await Bench.start();
  expect((await bench.attempt('ListModels', {}, 'guessed')).status).toBe(403);
  const response = await fetch(`http://127.0.0.1:${bench.service.port}/endpoints/x/invocations`, { method: 'POST', body: INFERENCE });
  expect(response.status).toBe(403);
  await bench.stop();
});
