import validate from 'asl-validator';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import cdkJson from '../../../cdk.json';
import { ArtifactStore } from '../../../lib/artifacts/artifact-store';
import { MonitorWorkflow } from '../../../lib/monitoring/monitor-workflow';
import { MONITOR_ERRORS } from '../../../lib/monitoring/workflow/contract';
import { RETRYABLE_ERRORS } from '../../../lib/pipeline/contract';

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly ResultPath?: string | null;
  readonly TimeoutSeconds?: number;
  readonly MaxConcurrency?: number;
  readonly Parameters?: { readonly action?: string };
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly JitterStrategy?: string }[];
  readonly Catch?: unknown;
  readonly ItemProcessor?: { readonly StartAt: string; readonly ProcessorConfig: object; readonly States: Record<string, State> };
  readonly [field: string]: unknown;
}

let template: Template;
let definition: { readonly StartAt: string; readonly TimeoutSeconds: number; readonly States: Record<string, State> };

beforeAll(() => {
  const stack = new Stack(new App({ context: cdkJson.context }), 'Stack');
  new MonitorWorkflow(stack, 'Workflow', {
    platformName: 'mlops',
    modelName: 'BikeDemand',
    monitorFunction: lambda.Function.fromFunctionName(stack, 'Monitor', 'monitor'),
    logGroup: new logs.LogGroup(stack, 'Logs'),
    store: new ArtifactStore(stack, 'Store'),
  });
  template = Template.fromStack(stack);
  const [machine] = Object.values(template.findResources('AWS::StepFunctions::StateMachine'));
  const parts: unknown[] = machine.Properties.DefinitionString['Fn::Join'][1];
  definition = JSON.parse(parts.map((part) => (typeof part === 'string' ? part : 'aws')).join(''));
});

const all = (states: Record<string, State> = definition.States): [string, State][] =>
  Object.entries(states).flatMap(([name, state]) => [[name, state] as [string, State], ...all(state.ItemProcessor?.States ?? {})]);
const states = () => Object.fromEntries(all());

test('is valid in the States Language', () => {
  const lambdaArn = 'arn:aws:lambda:us-east-1:123456789012:function:monitor';
  const text = JSON.stringify(definition).replace(/"Resource":"arn:aws:lambda[^"]*"/g, `"Resource":"${lambdaArn}"`);
  const { isValid, errorsForHumans } = validate(JSON.parse(text));
  expect(isValid ? '' : errorsForHumans).toBe('');
});

test('plans, then judges window after window, so that each finds the ones before it', () => {
  expect(definition.StartAt).toBe('Plan');
  expect(states().Plan).toMatchObject({ Next: 'Windows', Parameters: { action: 'plan', 'request.$': '$' } });
  expect(states().Windows).toMatchObject({ Type: 'Map', MaxConcurrency: 1, ItemsPath: '$.windows', ResultPath: '$.windows', End: true });
  expect(states().Judge).toMatchObject({ Parameters: { action: 'judge', 'window.$': '$.window' }, End: true });
});

test('takes the way that the size of a window asks for, and each ends with the verdict', () => {
  const { Choices, Default } = states().Size as unknown as { Choices: { StringEquals: string; Next: string }[]; Default: string };
  expect(Default).toBe('Judge');
  expect(Choices.map(({ StringEquals, Next }) => [StringEquals, Next])).toEqual([['map', 'Shards'], ['distributed', 'ManyShards']]);
  for (const name of ['Shards', 'ManyShards']) {
    expect(states()[name]).toMatchObject({ Type: 'Map', Next: 'Judge', ResultPath: null });
    expect(states()[name].ItemSelector).toEqual({
      action: 'profile',
      window: {
        'windowStart.$': '$.window.windowStart',
        'windowEnd.$': '$.window.windowEnd',
        'sources.$': '$.window.sources',
        'manifest.$': '$.window.manifest',
      },
      'shard.$': '$$.Map.Item.Value',
    });
  }
  expect(states().ManyShards).toMatchObject({
    ItemReader: { ReaderConfig: { InputType: 'JSON' }, Parameters: { 'Bucket.$': '$.window.manifest.bucket', 'Key.$': '$.window.manifest.key' } },
    ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' } },
  });
});

test('every task ends in time and is tried again only after what passes; no state hides a failure', () => {
  const tasks = all().filter(([, { Type }]) => Type === 'Task');
  expect(tasks.map(([name]) => name).sort()).toEqual(['Judge', 'Plan', 'Profile', 'ProfileShard']);
  for (const [name, { TimeoutSeconds, Retry }] of tasks) {
    expect(TimeoutSeconds).toBe(960);
    const [passing, ...others] = Retry ?? [];
    expect(passing).toMatchObject({ ErrorEquals: [...RETRYABLE_ERRORS], JitterStrategy: 'FULL' });
    expect(others).toHaveLength(name === 'Judge' ? 1 : 0);
  }
  expect(definition.TimeoutSeconds).toBeGreaterThan(0);
  for (const [, state] of all()) expect(state.Catch).toBeUndefined();
});

test('waits for another execution that judges, for longer than one that was cut off keeps others out', () => {
  const [, busy] = (states().Judge.Retry ?? []) as unknown as Record<string, number>[];
  expect(busy.ErrorEquals).toEqual([MONITOR_ERRORS.busy]);
  const { IntervalSeconds, BackoffRate, MaxDelaySeconds, MaxAttempts } = busy;
  const waits = Array.from({ length: MaxAttempts }, (_, attempt) => Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** attempt));
  expect(busy.JitterStrategy).toBeUndefined();
  expect(waits.reduce((sum, wait) => sum + wait)).toBeGreaterThan(20 * 60);
});

test('its role runs the one function, reads manifests, and starts no other machine than its own', () => {
  const [role] = Object.values(template.findResources('AWS::IAM::Role'));
  const statements: { Action: string | string[]; Resource: unknown }[] = role.Properties.Policies[0].PolicyDocument.Statement;
  const resourceOf = (action: string) =>
    JSON.stringify(statements.filter(({ Action }) => [Action].flat().includes(action)).map(({ Resource }) => Resource));
  expect(resourceOf('states:StartExecution')).toContain(':stateMachine:mlops-BikeDemand-monitor"');
  expect(resourceOf('states:StopExecution')).toContain(':execution:mlops-BikeDemand-monitor:*"');
  expect(resourceOf('states:RedriveExecution')).toContain(':execution:mlops-BikeDemand-monitor/Shards:*"');
  expect(resourceOf('lambda:InvokeFunction')).toContain(':function:monitor"');
  expect(resourceOf('s3:GetObject')).toContain('/work/monitoring/BikeDemand/*');
});
