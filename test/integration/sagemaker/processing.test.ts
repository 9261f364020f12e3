import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bench, ROLE, SCIKIT_LEARN_IMAGE, archiveOf } from './support';

jest.setTimeout(60_000);

/** Reads and writes below /opt/ml/processing, as a script for the real container does. */
const SCRIPT = `
import json, os, sys
from pathlib import Path
import pandas as pd
frame = pd.read_csv('/opt/ml/processing/input/rows.csv')
assert sorted(os.listdir('/opt/ml/processing/input')) == ['more', 'rows.csv']
frame['sum'] = frame['a'] + frame['b']
out = Path('/opt/ml/processing/output')
(out / 'deep').mkdir(parents=True)
frame.to_csv(out / 'deep' / 'sums.csv', index=False)
config = json.loads(Path('/opt/ml/config/processingjobconfig.json').read_text())
(out / 'seen.json').write_text(json.dumps({'arguments': sys.argv[1:], 'job': config['ProcessingJobName'], 'own': os.environ['OWN']}))
Path('/opt/ml/output/message').write_text('%d rows' % len(frame))
`;

describe('processing jobs', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start();
    bench.engine.put('data/in/rows.csv', 'a,b\n1,2\n3,4\n');
    bench.engine.put('data/in/more/x.txt', 'x');
  });
  afterAll(() => bench.stop());

  const input = (InputName: string, S3Uri: string, LocalPath: string) => ({
    InputName,
    S3Input: { S3Uri, LocalPath, S3DataType: 'S3Prefix', S3InputMode: 'File' },
  });
  const request = (name: string, script: string, changes: object = {}, command = ['python3', '/opt/ml/processing/code/script.py']) => {
    bench.engine.put(`code/${name}/script.py`, script);
    return {
      ProcessingJobName: name,
      RoleArn: ROLE,
      AppSpecification: { ImageUri: SCIKIT_LEARN_IMAGE, ContainerEntrypoint: command, ContainerArguments: ['--in', '/opt/ml/processing/input'] },
      ProcessingInputs: [input('data', 's3://data/in/', '/opt/ml/processing/input'), input('code', `s3://code/${name}/`, '/opt/ml/processing/code')],
      ProcessingOutputConfig: {
        Outputs: [
          { OutputName: 'out', S3Output: { S3Uri: `s3://artifacts/${name}`, LocalPath: '/opt/ml/processing/output', S3UploadMode: 'EndOfJob' } },
        ],
      },
      ProcessingResources: { ClusterConfig: { InstanceCount: 1, InstanceType: 'ml.m5.large', VolumeSizeInGB: 10 } },
      StoppingCondition: { MaxRuntimeInSeconds: 600 },
      Environment: { OWN: 'yes' },
      ...changes,
    };
  };
  const ended = (ProcessingJobName: string) =>
    bench.until('DescribeProcessingJob', { ProcessingJobName }, 'ProcessingJobStatus', ['InProgress', 'Stopping']);
  const run = async (...given: Parameters<typeof request>) => {
    await bench.call('CreateProcessingJob', request(...given));
    return ended(given[0]);
  };

  test('keep the contract of the container: inputs, arguments, configuration, outputs, exit message, events', async () => {
    const job = await run('whole', SCRIPT);
    expect(job).toMatchObject({ ProcessingJobStatus: 'Completed', ExitMessage: '2 rows', ProcessingStartTime: expect.any(Number) });
    expect(bench.engine.text('artifacts/whole/deep/sums.csv')).toBe('a,b,sum\n1,2,3\n3,4,7\n');
    const seen = JSON.parse(bench.engine.text('artifacts/whole/seen.json')!);
    expect(seen).toMatchObject({ arguments: ['--in', expect.stringMatching(/processing\/input$/)], job: 'whole', own: 'yes' });
    const told = await bench.told('Processing Job', 2);
    expect(told.map(({ ProcessingJobStatus }) => ProcessingJobStatus)).toEqual(['InProgress', 'Completed']);
    expect(await bench.call('ListProcessingJobs', {})).toMatchObject({ ProcessingJobSummaries: [{ ProcessingJobName: 'whole' }] });
    expect((await bench.refused('CreateProcessingJob', request('whole', SCRIPT))).__type).toBe('ResourceInUse');
    while (readdirSync(path.join(bench.directory, 'processing')).length > 0) await sleep(20);
  });

  test('fail with the exit code, and upload nothing then', async () => {
    expect(await run('raises', 'raise ValueError("no such column")')).toMatchObject({
      ProcessingJobStatus: 'Failed',
      FailureReason: expect.stringMatching(/^AlgorithmError: See job logs.*exit code 1; ValueError: no such column/),
    });
    expect(bench.engine.keys('artifacts/raises')).toEqual([]);
    expect(bench.engine.logLines('/aws/sagemaker/ProcessingJobs/raises/algo-1-').join('\n')).toContain('ValueError');
    const shell = ['/bin/sh', '-c', 'echo from the shell; exit 7'];
    expect(await run('shell', '', {}, shell)).toMatchObject({ FailureReason: expect.stringContaining('exit code 7; from the shell') });
    const isolated = { NetworkConfig: { EnableNetworkIsolation: true } };
    const fetching = 'import urllib.request\nurllib.request.urlopen("http://127.0.0.1:1/")';
    expect(await run('isolated', fetching, isolated)).toMatchObject({ FailureReason: expect.stringContaining('EnableNetworkIsolation') });
    expect(await run('empty', SCRIPT, { ProcessingInputs: [input('data', 's3://data/none/', '/opt/ml/processing/input')] })).toMatchObject({
      FailureReason: expect.stringContaining('ClientError: Data download failed'),
    });
  });

  test('run through a shell too, with code out of an archive and the paths of the container', async () => {
    bench.engine.put('code/packed/sourcedir.tar.gz', archiveOf({ 'script.py': SCRIPT, 'nested/other.py': '' }));
    const unpack = 'mkdir -p /tmp/code && tar -xzf /opt/ml/processing/input/more/* -C /tmp/code && cd /tmp/code && exec python3 "$0" "$@"';
    const ProcessingInputs = [
      input('data', 's3://data/in/rows.csv', '/opt/ml/processing/input'),
      input('code', 's3://code/packed/sourcedir.tar.gz', '/opt/ml/processing/input/more'),
    ];
    expect(await run('packed', '', { ProcessingInputs }, ['sh', '-c', unpack, 'script.py'])).toMatchObject({ ProcessingJobStatus: 'Completed' });
    expect(bench.engine.text('artifacts/packed/deep/sums.csv')).toBe('a,b,sum\n1,2,3\n3,4,7\n');
    const fetching = ['sh', '-c', 'python3 -c "import socket; socket.create_connection((\'127.0.0.1\', 9))"'];
    const isolated = await run('isolated-child', '', { NetworkConfig: { EnableNetworkIsolation: true } }, fetching);
    expect(isolated).toMatchObject({ FailureReason: expect.stringContaining('EnableNetworkIsolation') });
  });

  test('stop by hand, at their time limit and on demand', async () => {
    const endless = 'import time\nopen("/opt/ml/processing/output/begun", "w").write("x")\ntime.sleep(600)';
    const Outputs = [
      { OutputName: 'out', S3Output: { S3Uri: 's3://artifacts/endless', LocalPath: '/opt/ml/processing/output', S3UploadMode: 'Continuous' } },
    ];
    await bench.call('CreateProcessingJob', request('endless', endless, { ProcessingOutputConfig: { Outputs } }));
    while (!bench.engine.objects.has('artifacts/endless/begun')) await sleep(20);
    await bench.call('StopProcessingJob', { ProcessingJobName: 'endless' });
    expect(await ended('endless')).toMatchObject({ ProcessingJobStatus: 'Stopped' });
    const limited = { StoppingCondition: { MaxRuntimeInSeconds: 1 } };
    expect(await run('limited', endless, limited)).toMatchObject({ ProcessingJobStatus: 'Stopped', FailureReason: expect.stringContaining('(1)') });
    await bench.faulty('CreateProcessingJob', request('killed', endless), 'kill');
    expect(await ended('killed')).toMatchObject({ ProcessingJobStatus: 'Failed', FailureReason: expect.stringContaining('exit code 137') });
    await bench.faulty('CreateProcessingJob', request('stopped', endless), 'stop', 0.2);
    expect(await ended('stopped')).toMatchObject({ ProcessingJobStatus: 'Stopped' });
  });

  test('refuse paths outside of the container’s place and what the engine does not play', async () => {
    const message = async (changes: object) => (await bench.refused('CreateProcessingJob', request('refused', '', changes))).message;
    expect(await message({ ProcessingInputs: [input('a', 's3://data/in/', '/tmp/x')] })).toContain('must be below /opt/ml/processing/');
    expect(await message({ ProcessingInputs: [input('a', 's3://data/in/', '/opt/ml/processing/../x')] })).toContain('must be below');
    expect(await message({ AppSpecification: { ImageUri: SCIKIT_LEARN_IMAGE } })).toContain('ContainerEntrypoint');
    expect((await bench.refused('DescribeProcessingJob', { ProcessingJobName: 'nothing' })).message).toContain('Could not find requested job');
    expect(existsSync('/opt/ml/processing')).toBe(false);
  });
});
