// Requests that fail while an endpoint on instances moves to another model under 50 requests a second: each way to deploy, on a local engine.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DescribeEndpointCommand,
  SageMakerClient,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import * as tar from 'tar';
import { line } from '../line.mjs';

const PER_SECOND = 50;
/** Traffic before and after the update, so that both its ends are under load. */
const MARGIN_MILLISECONDS = 2_000;
const IMAGE = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3';
const BUCKET = 'bench-update';
const ENDPOINT = 'bench-update';
const ENGINE = `update-${process.pid}`;

const quiet = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
const mlops = (...args) => execFileSync(process.execPath, ['assets/bin/mlops.js', ...args], quiet);

/** tar.gz of one file. */
const archive = (name, text) => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-bench-update-'));
  mkdirSync(path.join(directory, 'inside'));
  writeFileSync(path.join(directory, 'inside', name), text);
  tar.create({ gzip: true, sync: true, cwd: path.join(directory, 'inside'), file: path.join(directory, 'it.tar.gz') }, [name]);
  const bytes = readFileSync(path.join(directory, 'it.tar.gz'));
  rmSync(directory, { recursive: true });
  return bytes;
};

/** Answers each request with its own name after the time that a small model takes. */
const script = (name) => `
import time
def model_fn(directory):
    return None
def transform_fn(model, body, content_type, accept):
    time.sleep(0.005)
    return '${name}', 'text/plain'
`;

const percent = (Value) => ({ Type: 'CAPACITY_PERCENT', Value });
const blueGreen = (routing) => ({ BlueGreenUpdatePolicy: { TrafficRoutingConfiguration: routing, TerminationWaitInSeconds: 120 } });
const DEPLOYMENTS = {
  'all at once': blueGreen({ Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 0 }),
  canary: blueGreen({ Type: 'CANARY', CanarySize: percent(25), WaitIntervalInSeconds: 120 }),
  linear: blueGreen({ Type: 'LINEAR', LinearStepSize: percent(25), WaitIntervalInSeconds: 60 }),
  rolling: { RollingUpdatePolicy: { MaximumBatchSize: percent(25), WaitIntervalInSeconds: 60, MaximumExecutionTimeoutInSeconds: 3600 } },
};

const { endpoint } = JSON.parse(mlops('local', 'start', '--name', ENGINE, '--json'));
try {
  const connection = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  const sagemaker = new SageMakerClient(connection);
  const runtime = new SageMakerRuntimeClient({ ...connection, maxAttempts: 1 });
  await prepare(connection, sagemaker);
  await sagemaker.send(new CreateEndpointCommand({ EndpointName: ENDPOINT, EndpointConfigName: 'blue' }));
  await settled(sagemaker);
  let next = 'green';
  for (const [deployment, DeploymentConfig] of Object.entries(DEPLOYMENTS)) {
    const requests = traffic(runtime);
    await sleep(MARGIN_MILLISECONDS);
    await sagemaker.send(new UpdateEndpointCommand({ EndpointName: ENDPOINT, EndpointConfigName: next, DeploymentConfig }));
    const seconds = await settled(sagemaker);
    await sleep(MARGIN_MILLISECONDS);
    const { failed, answers, sent, last, milliseconds } = await requests.stop();
    if (last !== next || Object.keys(answers).length !== 2)
      throw new Error(`${deployment}: no update was seen, answers came from ${JSON.stringify(answers)}`);
    line('failed requests during an update', failed.length, 'requests', 0, {
      deployment,
      sent,
      perSecond: Math.round(sent / (milliseconds / 1000)),
      seconds: Math.round(seconds * 10) / 10,
      answers,
      ...(failed.length > 0 && { first: failed[0] }),
    });
    next = next === 'green' ? 'blue' : 'green';
  }
} finally {
  mlops('local', 'stop', ENGINE);
}

/** Two models, each in a configuration of its own. */
async function prepare(connection, sagemaker) {
  const s3 = new S3Client({ ...connection, forcePathStyle: true });
  const iam = new IAMClient(connection);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'model.tar.gz', Body: archive('none.txt', 'nothing') }));
  const allow = (Statement) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...Statement }] });
  const trust = allow({ Principal: { Service: 'sagemaker.amazonaws.com' }, Action: 'sts:AssumeRole' });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'bench-update', AssumeRolePolicyDocument: trust }));
  const may = allow({ Action: ['s3:GetObject', 's3:ListBucket', 'logs:*', 'cloudwatch:PutMetricData'], Resource: '*' });
  await iam.send(new PutRolePolicyCommand({ RoleName: 'bench-update', PolicyName: 'run', PolicyDocument: may }));
  for (const name of ['blue', 'green']) {
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${name}.tar.gz`, Body: archive('inference.py', script(name)) }));
    const code = { SAGEMAKER_PROGRAM: 'inference.py', SAGEMAKER_SUBMIT_DIRECTORY: `s3://${BUCKET}/${name}.tar.gz` };
    const Environment = { ...code, SAGEMAKER_REGION: 'us-east-1' };
    const PrimaryContainer = { Image: IMAGE, ModelDataUrl: `s3://${BUCKET}/model.tar.gz`, Environment };
    await sagemaker.send(new CreateModelCommand({ ModelName: name, ExecutionRoleArn: Role.Arn, PrimaryContainer }));
    const variant = { VariantName: 'primary', ModelName: name, InstanceType: 'ml.m5.large', InitialInstanceCount: 4, InitialVariantWeight: 1 };
    await sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName: name, ProductionVariants: [variant] }));
  }
}

/** Seconds until the endpoint is in service. */
async function settled(sagemaker) {
  const began = performance.now();
  for (;;) {
    const { EndpointStatus, FailureReason } = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: ENDPOINT }));
    if (EndpointStatus === 'InService' && !FailureReason) return (performance.now() - began) / 1000;
    if (FailureReason || EndpointStatus === 'Failed') throw new Error(`the endpoint is ${EndpointStatus}: ${FailureReason}`);
    await sleep(100);
  }
}

/** Requests at a steady pace, whether or not those before were answered: a slow answer must not make the load smaller. */
function traffic(runtime) {
  const began = performance.now();
  const found = { sent: 0, failed: [], answers: {}, last: '' };
  const open = new Set();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) * PER_SECOND) / 1000);
    while (found.sent < due) {
      found.sent += 1;
      const request = runtime
        .send(new InvokeEndpointCommand({ EndpointName: ENDPOINT, Body: Buffer.from('1\n'), ContentType: 'text/csv' }))
        .then(
          ({ Body }) => {
            found.last = Buffer.from(Body).toString();
            found.answers[found.last] = (found.answers[found.last] ?? 0) + 1;
          },
          (error) => found.failed.push(`${error.name}: ${error.message}`),
        )
        .finally(() => open.delete(request));
      open.add(request);
    }
  }, 1000 / PER_SECOND);
  return {
    stop: async () => {
      clearInterval(timer);
      const milliseconds = performance.now() - began;
      await Promise.all(open);
      return { ...found, milliseconds };
    },
  };
}
