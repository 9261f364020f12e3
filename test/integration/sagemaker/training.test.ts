import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bench, IMAGE, SCIKIT_LEARN_IMAGE, TRAIN, rows, trainingRequest, unpacked } from './support';

jest.setTimeout(60_000);

describe('training jobs', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await Bench.start();
    bench.code('source', { 'train.py': TRAIN });
    bench.engine.put('data/train/rows.csv', rows(9000));
  });
  afterAll(() => bench.stop());

  const failing = async (name: string, files: Record<string, string>, changes: object = {}) => {
    const hyperParameters = { sagemaker_submit_directory: bench.code(name, files) };
    await bench.call('CreateTrainingJob', trainingRequest(name, changes, hyperParameters));
    return bench.trained(name);
  };

  test('trains a real model and leaves archive, metrics, transitions, logs and events as the service does', async () => {
    // Values may be JSON strings: the Python SDK of SageMaker quotes all of them.
    const quoted = { sagemaker_program: '"train.py"', sagemaker_submit_directory: '"s3://code/source.tar.gz"', target: '"y"', rounds: '100' };
    await bench.call('CreateTrainingJob', trainingRequest('whole', { Tags: [{ Key: 'team', Value: 'bikes' }], Environment: { OWN: 'yes' } }, quoted));
    const job = await bench.trained('whole');

    expect(job).toMatchObject({
      TrainingJobStatus: 'Completed',
      SecondaryStatus: 'Completed',
      ModelArtifacts: { S3ModelArtifacts: 's3://artifacts/models/whole/output/model.tar.gz' },
      FinalMetricDataList: [{ MetricName: 'rmse', Value: expect.any(Number) }],
      TrainingTimeInSeconds: expect.any(Number),
      BillableTimeInSeconds: expect.any(Number),
      CreationTime: expect.any(Number),
    });
    const transitions = job.SecondaryStatusTransitions as Array<{ Status: string; EndTime: number }>;
    expect(transitions.map(({ Status }) => Status)).toEqual(['Starting', 'Downloading', 'Training', 'Uploading', 'Completed']);
    expect(transitions.every(({ EndTime }) => EndTime > 0)).toBe(true);

    const model = unpacked(bench.engine.objects.get('artifacts/models/whole/output/model.tar.gz')!);
    expect(JSON.parse(model['model.json']).version).toEqual([3, 0, 5]);
    const report = JSON.parse(unpacked(bench.engine.objects.get('artifacts/models/whole/output/output.tar.gz')!)['report.json']);
    expect(report.environment).toMatchObject({
      SM_CHANNELS: '["train"]',
      SM_HPS: '{"rounds":100,"target":"y"}',
      SM_HP_TARGET: 'y',
      SM_CURRENT_HOST: 'algo-1',
      SM_HOSTS: '["algo-1"]',
      SM_NUM_GPUS: '0',
      SM_USER_ARGS: '["--rounds","100","--target","y"]',
      TRAINING_JOB_NAME: 'whole',
      OWN: 'yes',
      OMP_NUM_THREADS: '2',
    });
    expect(JSON.parse(report.environment.SM_TRAINING_ENV)).toMatchObject({ job_name: 'whole', hyperparameters: { rounds: 100, target: 'y' } });

    expect(bench.engine.logLines('/aws/sagemaker/TrainingJobs/whole/algo-1-').join('\n')).toMatch(/rmse=\d/);
    const told = bench.engine.events.filter(({ Detail }) => Detail.TrainingJobName === 'whole');
    expect(told.map(({ Detail }) => Detail.SecondaryStatus)).toEqual(['Starting', 'Downloading', 'Training', 'Uploading', 'Completed']);
    expect(told[4]).toMatchObject({
      DetailType: 'SageMaker Training Job State Change',
      Source: 'aws.sagemaker',
      Resources: [job.TrainingJobArn],
      Detail: { TrainingJobStatus: 'Completed', Tags: { team: 'bikes' } },
    });
    // Everything that touched S3 did so as the job's role.
    expect([...bench.engine.keysSeen]).toEqual(['ASIAJOBS']);
    while (readdirSync(path.join(bench.directory, 'training')).length > 0) await sleep(20);
  });

  test('a script sees none of the credentials and settings of the process that runs the engine', async () => {
    const before = process.env.AWS_SECRET_ACCESS_KEY;
    process.env.AWS_SECRET_ACCESS_KEY = 'of-the-host';
    const job = await failing('clean', { 'train.py': 'import os\nraise RuntimeError(sorted(k for k in os.environ if k.startswith("AWS_")))' });
    if (before === undefined) delete process.env.AWS_SECRET_ACCESS_KEY;
    else process.env.AWS_SECRET_ACCESS_KEY = before;
    expect(job.FailureReason).toContain("RuntimeError: ['AWS_REGION']");
  });

  test('a script that raises fails the job with the end of its traceback', async () => {
    const job = await failing('raises', { 'train.py': 'def work():\n    raise ValueError("the target column cnt is missing")\nwork()\n' });
    expect(job).toMatchObject({ TrainingJobStatus: 'Failed', SecondaryStatus: 'Failed' });
    expect(job.FailureReason).toMatch(/^AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "Traceback/);
    expect(job.FailureReason).toContain('ValueError: the target column cnt is missing');
    expect(job.FailureReason).toMatch(/exit code: 1$/);
    expect(job.ModelArtifacts).toBeUndefined();
  });

  test('a script that exits with a code fails the job with it', async () => {
    const job = await failing('exits', { 'train.py': 'import sys\nsys.exit(3)' });
    expect(job.FailureReason).toContain('exit code: 3');
  });

  test('a failure file of the script becomes the reason, cut at 1024 characters', async () => {
    const script = 'import os\nopen(os.environ["SM_OUTPUT_DIR"] + "/failure", "w").write("x" * 3000)\nraise SystemExit(1)';
    const job = await failing('writes', { 'train.py': script });
    expect(job.FailureReason).toBe(`AlgorithmError: ${'x'.repeat(1024)}, exit code: 1`);
  });

  test('a script that kills its own process fails the job', async () => {
    const job = await failing('killed', { 'train.py': 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)' });
    expect(job.FailureReason).toBe('AlgorithmError: exit code: 137');
  });

  test('an archive without the program and an unmet requirement are named', async () => {
    expect((await failing('empty', { 'other.py': '' })).FailureReason).toContain('the code archive holds no train.py');
    const wanted = await failing('wants', { 'train.py': '', 'requirements.txt': 'no-such-package==1.0\nnumpy\n' });
    expect(wanted.FailureReason).toContain('requirements.txt asks for what the local engine does not install: no-such-package==1.0');
  });

  test('the scikit-learn image has no XGBoost, as its real counterpart', async () => {
    const changes = { AlgorithmSpecification: { TrainingImage: SCIKIT_LEARN_IMAGE, TrainingInputMode: 'File' } };
    expect((await failing('other', { 'train.py': 'import xgboost' }, changes)).FailureReason).toContain('ModuleNotFoundError');
    const script = 'import sklearn, os\nopen(os.path.join(os.environ["SM_MODEL_DIR"], "v"), "w").write(sklearn.__version__)';
    expect((await failing('sklearn', { 'train.py': script }, changes)).TrainingJobStatus).toBe('Completed');
    expect(unpacked(bench.engine.objects.get('artifacts/models/sklearn/output/model.tar.gz')!)).toEqual({ v: '1.4.2' });
  });

  test('a stopped job gets SIGTERM, keeps what it saved and ends Stopped with its children', async () => {
    const script = [
      'import os, subprocess, time, signal, sys',
      'child = subprocess.Popen(["sleep", "600"])',
      'open(os.path.join(os.environ["SM_MODEL_DIR"], "pid"), "w").write(str(child.pid))',
      'signal.signal(signal.SIGTERM, lambda *_: (print("asked to stop", flush=True), sys.exit(0)))',
      'print("ready", flush=True)',
      'time.sleep(600)',
    ].join('\n');
    const hyperParameters = { sagemaker_submit_directory: bench.code('slow', { 'train.py': script }) };
    await bench.call('CreateTrainingJob', trainingRequest('slow', {}, hyperParameters));
    while (!bench.engine.logLines('/aws/sagemaker/TrainingJobs/slow').includes('ready')) await sleep(20);
    await bench.call('StopTrainingJob', { TrainingJobName: 'slow' });
    const job = await bench.trained('slow');
    expect(job).toMatchObject({ TrainingJobStatus: 'Stopped', SecondaryStatus: 'Stopped' });
    expect(bench.engine.logLines('/aws/sagemaker/TrainingJobs/slow')).toContain('asked to stop');
    const { pid } = unpacked(bench.engine.objects.get('artifacts/models/slow/output/model.tar.gz')!);
    expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
    expect((await bench.refused('StopTrainingJob', { TrainingJobName: 'slow' })).message).toContain('in status Stopped');
  });

  test('MaxRuntimeInSeconds ends a job that will not end, also one that ignores SIGTERM', async () => {
    const script = 'import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)';
    const job = await failing('endless', { 'train.py': script }, { StoppingCondition: { MaxRuntimeInSeconds: 1 } });
    expect(job).toMatchObject({ TrainingJobStatus: 'Stopped', SecondaryStatus: 'MaxRuntimeExceeded' });
  });

  test('what the role may not do fails the job in the words of the service', async () => {
    bench.engine.put('private/train/rows.csv', rows(10));
    bench.engine.forbidden.add('private/');
    const channel = (uri: string) => [{ ChannelName: 'train', DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: uri } } }];
    await bench.call('CreateTrainingJob', trainingRequest('blind', { InputDataConfig: channel('s3://private/train/') }));
    await bench.call('CreateTrainingJob', trainingRequest('mute', { OutputDataConfig: { S3OutputPath: 's3://private/out' } }));
    await bench.call('CreateTrainingJob', trainingRequest('nothing', { InputDataConfig: channel('s3://data/none/') }));
    expect((await bench.trained('blind')).FailureReason).toBe('ClientError: Data download failed:AccessDenied (403): Access Denied');
    expect((await bench.trained('mute')).FailureReason).toBe('ClientError: Artifact upload failed:AccessDenied (403): Access Denied');
    expect((await bench.trained('nothing')).FailureReason).toContain('No S3 objects found under S3 URL "s3://data/none/"');
    const nobody = trainingRequest('nobody', { RoleArn: 'arn:aws:iam::000000000000:role/nobody' });
    expect((await bench.refused('CreateTrainingJob', nobody)).message).toContain('Could not assume role');
  });

  test('names are used once, unknown names and images are refused in AWS terms', async () => {
    expect(await bench.refused('CreateTrainingJob', trainingRequest('whole'))).toMatchObject({ __type: 'ResourceInUse', status: 400 });
    expect(await bench.refused('DescribeTrainingJob', { TrainingJobName: 'never' })).toMatchObject({
      __type: 'ValidationException',
      message: 'Requested resource not found.',
    });
    const withImage = (image: string) =>
      bench.refused('CreateTrainingJob', trainingRequest('image', { AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: 'File' } }));
    expect((await withImage(IMAGE.replace('3.0-5', '1.7-1'))).message).toMatch(/holds xgboost 1\.7\.1, the local engine 3\.0\.5/);
    const own = await withImage('000000000000.dkr.ecr.us-east-1.amazonaws.com/own:1');
    expect(own.message).toMatch(/it knows .*sagemaker-xgboost:3\.0-5 and .*scikit-learn/);
  });

  test('list pages through all jobs once, in the order asked for', async () => {
    const names: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await bench.call<{ TrainingJobSummaries: Array<{ TrainingJobName: string }>; NextToken?: string }>('ListTrainingJobs', {
        MaxResults: 3,
        SortBy: 'Name',
        SortOrder: 'Descending',
        NextToken,
      });
      expect(page.TrainingJobSummaries.length).toBeLessThanOrEqual(3);
      names.push(...page.TrainingJobSummaries.map(({ TrainingJobName }) => TrainingJobName));
      ({ NextToken } = page);
    } while (NextToken);
    expect(names).toEqual([...names].sort().reverse());
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('whole');
  });
});

test('closing the service in the middle of a training leaves no process behind', async () => {
  const bench = await Bench.start();
  bench.engine.put('data/train/rows.csv', rows(10));
  const script = 'import os, time\nprint("pid", os.getpid(), flush=True)\ntime.sleep(600)';
  await bench.call('CreateTrainingJob', trainingRequest('long', {}, { sagemaker_submit_directory: bench.code('long', { 'train.py': script }) }));
  const line = () => bench.engine.logLines('/aws/sagemaker/TrainingJobs/long').find((text) => text.startsWith('pid'));
  while (!line()) await sleep(20);
  const processes = () => execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' });
  expect(processes()).toMatch(new RegExp(`^ *${line()!.slice(4)} .*container\\.py`, 'm'));
  await bench.stop();
  expect(processes()).not.toMatch(new RegExp(`^ *${line()!.slice(4)} `, 'm'));
  expect(existsSync(bench.directory)).toBe(false);
});
