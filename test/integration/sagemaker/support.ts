import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tar from 'tar';
import { type SageMakerService, startSageMakerService } from '../../../local/sagemaker/service';
import { ensurePython } from '../../../local/toolchain';
import { FakeEngine } from './fake-engine';

export const ROLE = 'arn:aws:iam::000000000000:role/service/jobs';
export const IMAGE = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5';
export const SCIKIT_LEARN_IMAGE = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3';

export const TRAIN = `
import argparse, os, json
import numpy as np, pandas as pd, xgboost as xgb
parser = argparse.ArgumentParser()
parser.add_argument('--rounds', type=int, default=5)
parser.add_argument('--target', type=str)
arguments = parser.parse_args()
if __name__ == '__main__':
    frame = pd.read_csv(os.path.join(os.environ['SM_CHANNEL_TRAIN'], 'rows.csv'))
    data = xgb.DMatrix(frame.drop(columns=[arguments.target]), label=frame[arguments.target])
    model = xgb.train({'max_depth': 6, 'eta': 0.3}, data, arguments.rounds)
    rmse = float(np.sqrt(np.mean((model.predict(data) - frame[arguments.target]) ** 2)))
    print('rmse=%.4f' % rmse)
    model.save_model(os.path.join(os.environ['SM_MODEL_DIR'], 'model.json'))
    with open(os.path.join(os.environ['SM_OUTPUT_DATA_DIR'], 'report.json'), 'w') as file:
        json.dump({'rmse': rmse, 'environment': dict(os.environ)}, file)
`;

export const INFERENCE = `
import io, os
import numpy as np, xgboost as xgb
def model_fn(directory):
    model = xgb.Booster()
    model.load_model(os.path.join(directory, 'model.json'))
    return model
def input_fn(body, content_type):
    rows = np.loadtxt(io.StringIO(body), delimiter=',', ndmin=2)
    if rows.shape[1] != 2:
        raise ValueError('expected 2 columns, got %d' % rows.shape[1])
    return xgb.DMatrix(rows, feature_names=['a', 'b'])
def predict_fn(data, model):
    return model.predict(data)
def output_fn(prediction, accept):
    return '\\n'.join('%.4f' % value for value in prediction) + '\\n', 'text/csv'
`;

export function archiveOf(files: Record<string, string>): Buffer {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-code-'));
  const inside = path.join(directory, 'inside');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(inside, name)), { recursive: true });
    writeFileSync(path.join(inside, name), text);
  }
  tar.create({ gzip: true, sync: true, cwd: inside, file: path.join(directory, 'code.tar.gz') }, Object.keys(files));
  const bytes = readFileSync(path.join(directory, 'code.tar.gz'));
  rmSync(directory, { recursive: true });
  return bytes;
}

/** The text files of an archive by name. */
export function unpacked(archive: Buffer): Record<string, string> {
  const files: Record<string, string> = {};
  const parser = new tar.Parser({
    sync: true,
    onReadEntry: (entry) => {
      files[entry.path] = '';
      entry.on('data', (part) => (files[entry.path] += part.toString('utf8')));
    },
  });
  parser.end(archive);
  return files;
}

export function rows(count: number): string {
  const lines = Array.from({ length: count }, (_, index) => {
    const [a, b] = [(index * 7919) % 100, (index * 104729) % 50];
    return `${a},${b},${a * 2 + b}`;
  });
  return `a,b,y\n${lines.join('\n')}\n`;
}

export const interpreter = async (): Promise<string> => process.env.MLOPS_PYTHON_BIN ?? (await ensurePython()).python;

export interface Failure {
  readonly status: number;
  readonly __type: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export type Description = Record<string, unknown>;

/** A running service beside a fake engine, spoken to as the plug-in does. */
export class Bench {
  private constructor(
    readonly engine: FakeEngine,
    readonly service: SageMakerService,
    readonly directory: string,
  ) {}

  static async start(timeScale = 0.02, waitScale = 0.02, images: Record<string, string> = {}): Promise<Bench> {
    const engine = new FakeEngine();
    const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-sagemaker-'));
    const service = await startSageMakerService({
      engineUrl: await engine.start(),
      engineToken: engine.token,
      python: await interpreter(),
      runnersDirectory: path.resolve(__dirname, '../../../local/runners'),
      workDirectory: directory,
      region: 'us-east-1',
      accountId: '000000000000',
      timeScale,
      waitScale,
      images,
    });
    return new Bench(engine, service, directory);
  }

  async stop(): Promise<void> {
    await this.service.close();
    await this.engine.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async attempt(operation: string, body: object, token = this.engine.token, fault?: object): Promise<{ status: number; body: Description }> {
    const headers = { 'x-mlops-engine-token': token, 'x-mlops-principal': 'arn:aws:iam::000000000000:root' };
    const response = await fetch(`http://127.0.0.1:${this.service.port}/api/${operation}`, {
      method: 'POST',
      headers: fault ? { ...headers, 'x-mlops-fault': JSON.stringify(fault) } : headers,
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  async call<T = Description>(operation: string, body: object): Promise<T> {
    const answer = await this.attempt(operation, body);
    if (answer.status !== 200) throw new Error(`${operation}: ${JSON.stringify(answer.body)}`);
    return answer.body as T;
  }

  /** As a fault rule would have it. */
  async faulty(operation: string, body: object, kind: string, when: number | { afterCheckpoint: true } = 0): Promise<void> {
    const answer = await this.attempt(operation, body, undefined, { kind, ...(typeof when === 'number' ? { afterSeconds: when } : when) });
    if (answer.status !== 200) throw new Error(`${operation}: ${JSON.stringify(answer.body)}`);
  }

  async refused(operation: string, body: object): Promise<Failure> {
    const answer = await this.attempt(operation, body);
    if (answer.status === 200) throw new Error(`${operation} was accepted`);
    return { status: answer.status, ...answer.body } as Failure;
  }

  invoke(endpoint: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.service.port}/endpoints/${endpoint}/invocations`, {
      method: 'POST',
      headers: { 'x-mlops-engine-token': this.engine.token, 'content-type': 'text/csv', ...headers },
      body,
    });
  }

  async until(operation: string, body: object, field: string, busy: readonly string[]): Promise<Description> {
    for (;;) {
      const description = await this.call<Description>(operation, body);
      if (!busy.includes(String(description[field]))) return description;
      await sleep(25);
    }
  }

  trained(name: string): Promise<Description> {
    return this.until('DescribeTrainingJob', { TrainingJobName: name }, 'TrainingJobStatus', ['InProgress', 'Stopping']);
  }

  transformed(name: string): Promise<Description> {
    return this.until('DescribeTransformJob', { TransformJobName: name }, 'TransformJobStatus', ['InProgress', 'Stopping']);
  }

  settled(name: string): Promise<Description> {
    return this.until('DescribeEndpoint', { EndpointName: name }, 'EndpointStatus', ['Creating', 'Updating', 'RollingBack', 'Deleting']);
  }

  /** The events of one kind, once there are so many: they are sent beside the answers. */
  async told(detailType: string, count: number): Promise<Description[]> {
    for (;;) {
      const found = this.engine.events.filter(({ DetailType }) => DetailType === `SageMaker ${detailType} State Change`);
      if (found.length >= count) return found.map(({ Detail }) => Detail);
      await sleep(20);
    }
  }

  /** Code for the jobs that follow, under a key of its own. */
  code(name: string, files: Record<string, string>): string {
    this.engine.put(`code/${name}.tar.gz`, archiveOf(files));
    return `s3://code/${name}.tar.gz`;
  }
}

export const trainingRequest = (name: string, changes: object = {}, hyperParameters: Record<string, string> = {}) => ({
  TrainingJobName: name,
  RoleArn: ROLE,
  AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: 'File', MetricDefinitions: [{ Name: 'rmse', Regex: 'rmse=([0-9.]+)' }] },
  HyperParameters: {
    sagemaker_program: 'train.py',
    sagemaker_submit_directory: 's3://code/source.tar.gz',
    target: 'y',
    rounds: '20',
    ...hyperParameters,
  },
  InputDataConfig: [{ ChannelName: 'train', DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://data/train/' } } }],
  OutputDataConfig: { S3OutputPath: 's3://artifacts/models' },
  ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 10 },
  StoppingCondition: { MaxRuntimeInSeconds: 600 },
  ...changes,
});

export const modelRequest = (name: string, job: string, environment: Record<string, string> = {}) => ({
  ModelName: name,
  ExecutionRoleArn: ROLE,
  PrimaryContainer: {
    Image: IMAGE,
    ModelDataUrl: `s3://artifacts/models/${job}/output/model.tar.gz`,
    Environment: { SAGEMAKER_PROGRAM: 'inference.py', SAGEMAKER_SUBMIT_DIRECTORY: 's3://code/source.tar.gz', ...environment },
  },
});

export const configRequest = (name: string, model: string, changes: object = {}) => ({
  EndpointConfigName: name,
  ProductionVariants: [{ VariantName: 'AllTraffic', ModelName: model, InstanceType: 'ml.m5.large', InitialInstanceCount: 1 }],
  ...changes,
});

/** A trained model in S3 and a model record over it. */
export async function prepare(bench: Bench, count = 500): Promise<void> {
  bench.code('source', { 'train.py': TRAIN, 'inference.py': INFERENCE });
  bench.engine.put('data/train/rows.csv', rows(count));
  await bench.call('CreateTrainingJob', trainingRequest('first'));
  await bench.trained('first');
  await bench.call('CreateModel', modelRequest('model-1', 'first'));
}
