// What a run of the standard pipeline costs beside SageMaker's own work: the second, warm run of bin/app.ts on a local engine.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeStateMachineCommand, paginateGetExecutionHistory, SFNClient } from '@aws-sdk/client-sfn';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { line } from '../line.mjs';

const ENGINE = `run-${process.pid}`;
const MODEL = 'BikeDemand';
const COLUMNS = ['hr', 'weekday', 'workingday', 'holiday', 'weathersit', 'temp', 'atemp', 'hum', 'windspeed'];
/** States in which SageMaker works or the endpoint moves; all else is ours. */
const SAGEMAKER = ['Train', 'ScoreHoldout', 'WaitForRelease'];

const quiet = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1e8 };
const mlops = (...args) => execFileSync(process.execPath, ['assets/bin/mlops.js', ...args], quiet);
const cdk = (...args) => mlops('local', 'exec', '--name', ENGINE, '--', 'npx', 'cdk', ...args, '--output', `node_modules/.cdk-${ENGINE}`);

const { endpoint } = JSON.parse(mlops('local', 'start', '--name', ENGINE, '--json'));
try {
  cdk('bootstrap', 'aws://000000000000/us-east-1');
  cdk('deploy', 'MlOps', '--require-approval', 'never');
  const connection = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  const ssm = new SSMClient(connection);
  const parameter = async (name) => JSON.parse((await ssm.send(new GetParameterCommand({ Name: `/cdk-mlops/mlops/${name}` }))).Parameter.Value);
  const { dataBucket } = await parameter('platform');
  const { stateMachineArn } = await parameter(`models/${MODEL}`);
  const machines = new SFNClient(connection);
  const { definition } = await machines.send(new DescribeStateMachineCommand({ stateMachineArn }));
  line('definition of the state machine', definition.length / 1024, 'KiB', 100);

  const s3 = new S3Client({ ...connection, forcePathStyle: true });
  await s3.send(new PutObjectCommand({ Bucket: dataBucket, Key: `datasets/${MODEL}/hours.csv`, Body: hours() }));
  const runs = [];
  for (const reason of ['first run', 'second run']) {
    const began = Date.now();
    const { runId } = started(mlops('--local', ENGINE, 'runs', 'start', MODEL, '--reason', reason, '--watch', '--json'));
    runs.push({ began, events: await historyOf(machines, `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${runId}`) });
  }
  const { began, events } = runs[1];
  const end = events.at(-1);
  const intervals = SAGEMAKER.flatMap((state) => intervalsOf(events, state));
  const total = (end.timestamp - events[0].timestamp) / 1000;
  const elsewhere = intervals.reduce((sum, [from, to]) => sum + (to - from) / 1000, 0);
  line('own time of a run', total - elsewhere, 's', 5, { end: end.type, total, sagemaker: Math.round(elsewhere * 100) / 100 });
  const entered = events.filter(({ type }) => type.endsWith('StateEntered')).map(({ stateEnteredEventDetails }) => stateEnteredEventDetails.name);
  const polls = entered.filter((state) => state === 'WaitForRelease').length;
  const perPoll = ['WaitForRelease', 'CheckRelease', 'ReleaseDone'].filter((state) => entered.includes(state)).length;
  line('state transitions without polls', entered.length - polls * perPoll, 'transitions', 40, { polls });
  line('state transitions of a poll', perPoll, 'transitions', 3);
  const used = await billed(connection, began, definition);
  line('Lambda of a run', used.gigabyteSeconds / 0.5, 's at 512 MB', 60, { functions: used.functions });
} finally {
  mlops('local', 'stop', ENGINE);
}

/** Two years of hours as the demo's training data. */
function hours() {
  const [header, ...rows] = readFileSync('examples/bike-sharing/data/hour.csv', 'utf8').trim().split('\n').map((text) => text.trim().split(','));
  const at = (row, column) => row[header.indexOf(column)];
  const lines = rows.map((row) => {
    const timestamp = `${at(row, 'dteday')}T${at(row, 'hr').padStart(2, '0')}:00:00Z`;
    return [timestamp, ...COLUMNS.map((column) => at(row, column)), at(row, 'cnt')].join(',');
  });
  return [['timestamp', ...COLUMNS, 'cnt'].join(','), ...lines, ''].join('\n');
}

/** The command prints a line of JSON for each thing that happens; every one of them names the run. */
function started(output) {
  const told = output
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text));
  const runId = told.map((one) => one.runId ?? one.decision?.runId ?? one.run?.runId).find(Boolean);
  if (!runId) throw new Error(`no run was started: ${output}`);
  return { runId };
}

async function historyOf(client, executionArn) {
  const events = [];
  for await (const page of paginateGetExecutionHistory({ client }, { executionArn, maxResults: 1000 })) events.push(...page.events);
  return events;
}

/** From entering a state to leaving it. */
function intervalsOf(events, state) {
  const found = [];
  for (const event of events) {
    if (event.stateEnteredEventDetails?.name === state) found.push([event.timestamp, event.timestamp]);
    if (event.stateExitedEventDetails?.name === state) found.at(-1)[1] = event.timestamp;
  }
  return found;
}

/** Billed time by memory of the machine's functions, from what Lambda reports of each invocation. */
async function billed(connection, since, definition) {
  const [logs, lambda] = [new CloudWatchLogsClient(connection), new LambdaClient(connection)];
  const names = new Set([...definition.matchAll(/:function:([\w-]+)/g)].map(([, name]) => name));
  const groups = new Set();
  for (const name of names) {
    const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: name }));
    groups.add(Configuration.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`);
  }
  let gigabyteSeconds = 0;
  for (const logGroupName of groups) {
    for await (const page of paginateFilterLogEvents({ client: logs }, { logGroupName, startTime: since })) {
      for (const { message } of page.events) {
        const [, milliseconds, megabytes] = /Billed Duration: (\d+) ms\s+Memory Size: (\d+) MB/.exec(message) ?? [];
        if (milliseconds) gigabyteSeconds += (Number(milliseconds) / 1000) * (Number(megabytes) / 1024);
      }
    }
  }
  if (gigabyteSeconds === 0) throw new Error(`nothing was reported of ${names.size} functions in ${[...groups].join(', ')}`);
  return { gigabyteSeconds, functions: names.size };
}
