import { setTimeout as sleep } from 'node:timers/promises';
import { Bench, type Description, archiveOf, trainingRequest } from './support';

jest.setTimeout(60_000);

/** Goes on from its last checkpoint; each step takes its time. */
const STEPS = `
import os
directory = '/opt/ml/checkpoints'
done = sorted(int(name) for name in os.listdir(directory))
print('resumed at %d' % len(done), flush=True)
import time
for step in range(len(done), 4):
    time.sleep(0.4)
    with open(os.path.join(directory, 'part'), 'w') as file:
        file.write(str(step))
    os.rename(os.path.join(directory, 'part'), os.path.join(directory, str(step)))
with open('/opt/ml/model/steps', 'w') as file:
    file.write(str(len(done)))
`;

const spot = (more: object = {}) => ({
  EnableManagedSpotTraining: true,
  StoppingCondition: { MaxRuntimeInSeconds: 600, MaxWaitTimeInSeconds: 600 },
  ...more,
});

describe('training on machines that may go', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start();
    bench.engine.put('data/train/rows.csv', 'a\n1\n');
  });
  afterAll(() => bench.stop());

  const request = (name: string, script: string, changes: object = {}) =>
    trainingRequest(name, changes, { sagemaker_submit_directory: bench.code(name, { 'train.py': script }) });
  const statuses = (job: Description) => (job.SecondaryStatusTransitions as Array<{ Status: string }>).map(({ Status }) => Status);

  test('an interrupted job begins again from its checkpoints and is billed for less than it trained', async () => {
    const changes = spot({ CheckpointConfig: { S3Uri: 's3://artifacts/checkpoints/one' } });
    await bench.faulty('CreateTrainingJob', request('spot', STEPS, changes), 'interrupt-spot', { afterCheckpoint: true });
    const job = await bench.trained('spot');
    expect(job).toMatchObject({ TrainingJobStatus: 'Completed', EnableManagedSpotTraining: true });
    expect(statuses(job)).toEqual([
      ...['Starting', 'Downloading', 'Training', 'Interrupted', 'Starting', 'Downloading', 'Training', 'Uploading', 'Completed'],
    ]);
    expect(job.BillableTimeInSeconds).toBeLessThan(job.TrainingTimeInSeconds as number);
    const said = bench.engine.logLines('/aws/sagemaker/TrainingJobs/spot/').filter((line) => line.startsWith('resumed at'));
    expect(said[0]).toBe('resumed at 0');
    expect(Number(said[1].split(' ')[2])).toBeGreaterThan(0);
    expect(bench.engine.keys('artifacts/checkpoints/one/').filter((key) => /\d$/.test(key))).toHaveLength(4);
  });

  test('a job that waits too long for its machines is stopped', async () => {
    const patience = { StoppingCondition: { MaxRuntimeInSeconds: 1, MaxWaitTimeInSeconds: 1 } };
    const bench2 = await Bench.start(0.02, 1);
    bench2.engine.put('data/train/rows.csv', 'a\n1\n');
    const code = { sagemaker_submit_directory: bench2.code('late', { 'train.py': 'import time\ntime.sleep(60)' }) };
    await bench2.faulty('CreateTrainingJob', trainingRequest('late', spot(patience), code), 'interrupt-spot', 0.1);
    expect(await bench2.trained('late')).toMatchObject({ TrainingJobStatus: 'Stopped', SecondaryStatus: 'MaxWaitTimeExceeded' });
    await bench2.stop();
  });

  test.each([
    ['kill', { TrainingJobStatus: 'Failed', FailureReason: expect.stringContaining('exit code: 137') }],
    ['fail', { TrainingJobStatus: 'Failed', FailureReason: expect.stringContaining('fault rule') }],
    ['stop', { TrainingJobStatus: 'Stopped', SecondaryStatus: 'Stopped' }],
    ['timeout', { TrainingJobStatus: 'Stopped', SecondaryStatus: 'MaxRuntimeExceeded' }],
  ])('a job meets "%s" on demand', async (kind, expected) => {
    await bench.faulty('CreateTrainingJob', request(`meets-${kind}`, 'import time\ntime.sleep(60)'), kind);
    expect(await bench.trained(`meets-${kind}`)).toMatchObject(expected);
  });

  test('in network isolation code comes as a channel, and sockets lead nowhere', async () => {
    const isolated = { EnableNetworkIsolation: true };
    await bench.call('CreateTrainingJob', request('from-s3', 'print("never")', isolated));
    expect(await bench.trained('from-s3')).toMatchObject({
      TrainingJobStatus: 'Failed',
      FailureReason: expect.stringMatching(/^AlgorithmError: .*network isolation/),
    });
    const script = 'import socket\ntry:\n    socket.create_connection(("127.0.0.1", 9))\nexcept OSError as error:\n    print("cut off: %s" % error)';
    bench.engine.put('code/channel/sourcedir.tar.gz', archiveOf({ 'train.py': script }));
    const { InputDataConfig } = trainingRequest('any');
    const source = { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://code/channel/' } };
    const channels = [...InputDataConfig, { ChannelName: 'code', DataSource: source }];
    const code = { sagemaker_submit_directory: '/opt/ml/input/data/code/sourcedir.tar.gz' };
    await bench.call('CreateTrainingJob', trainingRequest('channel', { ...isolated, InputDataConfig: channels }, code));
    expect(await bench.trained('channel')).toMatchObject({ TrainingJobStatus: 'Completed' });
    expect(bench.engine.logLines('/aws/sagemaker/TrainingJobs/channel/').join('\n')).toContain('cut off');
  });

  test('warm pools are kept for their time, and not with spot', async () => {
    const ResourceConfig = { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 10, KeepAlivePeriodInSeconds: 60 };
    expect((await bench.refused('CreateTrainingJob', request('x', '', spot({ ResourceConfig })))).message).toContain('KeepAlivePeriodInSeconds');
    await bench.call('CreateTrainingJob', request('warm', 'pass', { ResourceConfig }));
    expect(await bench.trained('warm')).toMatchObject({ TrainingJobStatus: 'Completed', WarmPoolStatus: { Status: 'Available' } });
    await sleep(1300);
    expect(await bench.trained('warm')).toMatchObject({ WarmPoolStatus: { Status: 'Terminated', ResourceRetainedBillableTimeInSeconds: 60 } });
    const listed = await bench.call<{ TrainingJobSummaries: unknown[] }>('ListTrainingJobs', { WarmPoolStatusEquals: 'Terminated' });
    expect(listed.TrainingJobSummaries).toHaveLength(1);
  });
});
