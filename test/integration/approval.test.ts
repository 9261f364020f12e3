import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ApprovalsApi } from '../../cli/approvals/client';
import { Platform } from '../../cli/platform';
import { prove } from '../../cli/prove';
import { createDocumentClient } from '../../lambda/common/dynamo.client';
import { Approval } from '../../lib/pipeline/approval/approval';
import { ApprovalFunctions } from '../../lib/pipeline/approval/approval-functions';
import type { ApprovalSpec } from '../../lib/pipeline/contract';
import { FunctionStates, type StepFunctionsOfPipeline } from '../../lib/pipeline/function-states';
import { ModelRegistry } from '../../lib/registry/model-registry';
import { RunTracker } from '../../lib/tracking/run-tracker';
import { registryOver, versionRecord } from '../fakes/registry';
import { client, deploy, eventually, useEngine, type Deployment } from './harness';

const ACCOUNT = '000000000000';
const EXPIRING: ApprovalSpec = { policy: 'manual', expirySeconds: 3 };

let deployment: Deployment;
let out: Readonly<Record<string, string>>;
let registry: ReturnType<typeof registryOver>;

/** The state of a pipeline in which it waits for persons, as a machine of its own. */
const waiting = (scope: Construct, id: string, spec: ApprovalSpec, persons: ApprovalFunctions): sfn.StateMachine => {
  const functions = { requestApproval: persons.request } as unknown as StepFunctionsOfPipeline;
  const state = new FunctionStates(new Construct(scope, `${id}States`), functions).approve(spec);
  return new sfn.StateMachine(scope, id, { definitionBody: sfn.DefinitionBody.fromChainable(state) });
};

beforeAll(async () => {
  deployment = await deploy((app) => {
    const stack = new Stack(app, 'ApprovalTest');
    const kept = new ModelRegistry(stack, 'Registry', { removalPolicy: RemovalPolicy.DESTROY });
    const persons = ApprovalFunctions.of(stack, {
      platformName: 'approval-test',
      registry: kept,
      tracker: new RunTracker(stack, 'Tracker', { removalPolicy: RemovalPolicy.DESTROY }),
      bus: new events.EventBus(stack, 'Bus'),
      deadLetters: new sqs.Queue(stack, 'DeadLetters'),
    });
    const topic = new sns.Topic(stack, 'Topic');
    const inbox = new sqs.Queue(stack, 'Inbox');
    topic.addSubscription(new subscriptions.SqsSubscription(inbox, { rawMessageDelivery: true }));
    const role = (id: string) => new iam.Role(stack, id, { roleName: `approval-test-${id}`, assumedBy: new iam.AccountRootPrincipal() });
    const twoPerson = Approval.twoPerson({ topic, approvers: [role('lead'), role('admin')] });
    const machine = waiting(stack, 'TwoPerson', twoPerson._toSpec(), persons);
    const expiring = waiting(stack, 'Expiring', EXPIRING, persons);
    persons.serve('Bikes', twoPerson, machine);
    persons.serve('Others', Approval.manual(), expiring);
    // May call the function, and is no approver of Bikes.
    persons.grantDecide(role('guest'));
    const stranger = role('stranger');
    stranger.addToPolicy(new iam.PolicyStatement({ actions: ['s3:ListAllMyBuckets'], resources: ['*'] }));
    const sweep = (persons.node.findChild('Sweep').node.findChild('Resource') as unknown as { functionName: string }).functionName;
    const told = {
      Registry: kept.registryTableName,
      History: kept.historyTableName,
      Machine: machine.stateMachineArn,
      Expiring: expiring.stateMachineArn,
      Decide: persons.decide.functionName,
      Sweep: sweep,
      Inbox: inbox.queueUrl,
    };
    for (const [name, value] of Object.entries(told)) new CfnOutput(stack, `${name}Out`, { value });
  });
  out = Object.fromEntries(Object.entries(deployment.outputs.ApprovalTest).map(([name, value]) => [name.replace(/Out$/, ''), value]));
  const db = createDocumentClient(client(DynamoDBClient));
  registry = registryOver(db, out.Registry, out.History);
}, 180_000);

afterAll(async () => deployment?.destroy(), 120_000);

const keysOf = async (role: string, sessionName: string) => {
  const RoleArn = `arn:aws:iam::${ACCOUNT}:role/approval-test-${role}`;
  const { Credentials } = await client(STSClient).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: sessionName }));
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken } = Credentials ?? {};
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
};

/** A person with a role, as their terminal would be. */
const as = async (role: string, sessionName: string): Promise<ApprovalsApi> => {
  const { region, endpoint } = useEngine();
  const models = ['Bikes', 'Others'].map((model) => ({ model, decideFunction: out.Decide }));
  const connection = { region, endpoint, credentials: await keysOf(role, sessionName) };
  return new ApprovalsApi(new Platform(connection, { platform: 'approval-test' } as never, models as never));
};

const session = (role: string, name: string): string => `arn:aws:sts::${ACCOUNT}:assumed-role/approval-test-${role}/${name}`;

/** Registers a version and starts the run that asks for its approval; answers once it waits. */
const asked = async (model: string, runId: string, startedBy?: string): Promise<{ readonly executionArn: string; readonly version: number }> => {
  const rule = model === 'Bikes' ? { twoPerson: true } : { person: true };
  const rules = [{ state: 'Approved', ...rule }] as const;
  const record = versionRecord(runId);
  const { version } = await registry.registerVersion({ name: model, rules }, { source: 's3://x', runId, record }, { actor: 'pipeline', reason: 'x' });
  const input = {
    model,
    runId,
    cause: 'somebody asked',
    ...(startedBy ? { startedBy } : {}),
    prepared: { round: 0 },
    registered: { version },
    evaluation: { reason: 'better than v0', reportUri: `s3://reports/${runId}/gate.json` },
  };
  const stateMachineArn = model === 'Bikes' ? out.Machine : out.Expiring;
  const start = new StartExecutionCommand({ stateMachineArn, name: runId, input: JSON.stringify(input) });
  const { executionArn = '' } = await client(SFNClient).send(start);
  await eventually('the question', async () => ((await registry.getVersion(model, version)).approval ? true : undefined));
  const guest = await as('guest', 'looker');
  await eventually('the list', async () => ((await guest.pending(model)).some((one) => one.version === version) ? true : undefined));
  return { executionArn, version };
};

const ended = (executionArn: string) =>
  eventually('the end of the execution', async () => {
    const found = await client(SFNClient).send(new DescribeExecutionCommand({ executionArn }));
    return found.status === 'RUNNING' ? undefined : found;
  });

const approve = { decision: 'approve', reason: 'the report is fine' } as const;

test('a run waits, refuses who started it and who may not, and goes on when another person approves', async () => {
  const { executionArn, version } = await asked('Bikes', 'run-started', session('lead', 'ana'));
  const { Messages = [] } = await client(SQSClient).send(new ReceiveMessageCommand({ QueueUrl: out.Inbox, WaitTimeSeconds: 10 }));
  expect(Messages[0]?.Body).toContain(`mlops approve Bikes ${version} --reason TEXT`);
  expect(Messages[0]?.Body).toContain('Gate: better than v0');

  await expect((await as('stranger', 'eve')).decide('Bikes', version, approve)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  await expect((await as('guest', 'eve')).decide('Bikes', version, approve)).rejects.toThrow(/no session of a role that may decide/);
  for (const role of ['lead', 'admin']) {
    await expect((await as(role, 'ana')).decide('Bikes', version, approve)).rejects.toThrow(/who started the run/);
  }
  expect(await (await as('lead', 'bob')).decide('Bikes', version, approve)).toMatchObject({ outcome: 'approved', by: session('lead', 'bob') });
  const { status, output = '' } = await ended(executionArn);
  expect([status, JSON.parse(output).approval]).toEqual(['SUCCEEDED', { version, approvedBy: [session('lead', 'bob')] }]);
  const [last] = (await registry.history('Bikes')).slice(-1);
  expect(last).toMatchObject({ action: 'Approved', actor: session('lead', 'bob'), reason: approve.reason, version });
});

test('two persons approve what nobody started, and nobody decides for another', async () => {
  const { executionArn, version } = await asked('Bikes', 'run-scheduled');
  const ana = await as('lead', 'ana');
  expect(await ana.decide('Bikes', version, approve)).toMatchObject({ outcome: 'waiting', approvedBy: [session('lead', 'ana')] });

  // Ana calls with Bob's signature of another decision.
  const { region, endpoint } = useEngine();
  const proof = await prove({ region, endpoint, credentials: await keysOf('lead', 'bob') }, 'something else');
  const call = { action: 'decide', model: 'Bikes', version, question: 'run-scheduled:0', decision: 'approve', reason: 'x', proof };
  const forged = await client(LambdaClient).send(new InvokeCommand({ FunctionName: out.Decide, Payload: Buffer.from(JSON.stringify(call)) }));
  expect(JSON.parse(Buffer.from(forged.Payload!).toString())).toMatchObject({ ok: false, name: 'ApprovalNotProven' });

  expect(await (await as('admin', 'bob')).decide('Bikes', version, approve)).toMatchObject({ outcome: 'approved' });
  expect((await ended(executionArn)).status).toBe('SUCCEEDED');
});

test('what nobody decided in time is rejected, and its run fails as expired', async () => {
  const { executionArn, version } = await asked('Others', 'run-expiring');
  const sweep = () => client(LambdaClient).send(new InvokeCommand({ FunctionName: out.Sweep, Payload: Buffer.from('{}') }));
  await eventually('the expiry', async () => {
    expect((await sweep()).FunctionError).toBeUndefined();
    return (await registry.getVersion('Others', version)).state === 'Rejected' ? true : undefined;
  });
  const { status, error } = await ended(executionArn);
  expect([status, error]).toEqual(['FAILED', 'ApprovalExpired']);
  await expect((await as('guest', 'bob')).decide('Others', version, approve)).rejects.toThrow(/expired/);
});

test('a run that was stopped is not waiting any more', async () => {
  const { executionArn, version } = await asked('Bikes', 'run-stopped');
  await client(SFNClient).send(new StopExecutionCommand({ executionArn }));
  await expect((await as('lead', 'bob')).decide('Bikes', version, approve)).rejects.toThrow(/its run has ended|the run of Bikes/);
  expect((await registry.getVersion('Bikes', version)).state).toBe('PendingApproval');
});
