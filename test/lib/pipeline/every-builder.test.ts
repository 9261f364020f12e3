import validate from 'asl-validator';
import { Template } from 'aws-cdk-lib/assertions';
import { Task } from '../../../lib/common/task';
import { Approval } from '../../../lib/pipeline/approval/approval';
import { Framework } from '../../../lib/pipeline/framework';
import { Training } from '../../../lib/pipeline/training';
import { Serving } from '../../../lib/serving/serving';
import { everyStep, imageTraining, tunedTraining } from './every-builder';
import { definitionOf, expectBoundedRetries, samplePipeline, type SampleOptions, type State, statesOf } from './samples';

jest.setTimeout(60_000);

const VARIANTS: Readonly<Record<string, SampleOptions>> = {
  standard: {},
  tuned: { within: (stack) => ({ training: tunedTraining(stack) }) },
  'own image': { within: (stack) => ({ training: imageTraining(stack) }) },
  'built-in algorithm': {
    task: Task.regression({ target: 'cnt' }),
    training: Training.algorithm({ framework: Framework.xgboost('3.0-5'), hyperparameters: { num_round: '100' } }),
  },
  'with steps of all kinds': { within: (stack) => ({ steps: everyStep(stack) }) },
  'approved by people': { approval: Approval.manual() },
  'approved by two, on instances, with all builders': {
    approval: Approval.twoPerson(),
    serving: Serving.realTime({ instanceType: 'ml.m5.large' }),
    within: (stack) => ({ training: tunedTraining(stack), steps: everyStep(stack) }),
  },
};

/** SageMaker's request in PascalCase, tokens and paths as they stand in the definition. */
type Parameters = Record<string, never>;

describe.each(Object.entries(VARIANTS))('a pipeline, %s,', (name, options) => {
  const { stack } = samplePipeline(options);
  const definition = definitionOf(stack);
  const states = statesOf(definition.States);

  test('is valid Amazon States Language and takes at most 100 KB', () => {
    expect(validate(definition)).toMatchObject({ isValid: true });
    expect(JSON.stringify(definition).length).toBeLessThanOrEqual(100_000);
  });

  test('has a timeout and a bounded retry with jitter in every task, and no catch', () => {
    const tasks = states.filter(([, { Type }]) => Type === 'Task');
    expect(tasks.length).toBeGreaterThan(10);
    for (const [state, { TimeoutSeconds, Retry, Catch }] of tasks) {
      expect({ state, TimeoutSeconds: TimeoutSeconds! > 0, Catch }).toEqual({ state, TimeoutSeconds: true, Catch: undefined });
      expectBoundedRetries(Retry);
    }
  });

  test('lives longer than any of its states', () => {
    const longest = Math.max(...states.map(([, { TimeoutSeconds }]) => TimeoutSeconds ?? 0));
    expect(definition.TimeoutSeconds).toBeGreaterThan(longest);
  });

  test('lets its state machine touch only what is named below its endpoint', () => {
    const all = Object.entries(Template.fromStack(stack).findResources('AWS::IAM::Role'));
    const [[, role]] = all.filter(([id]) => id.startsWith('PipelineStateMachineRole'));
    const statements = role.Properties.Policies[0].PolicyDocument.Statement as { Action: unknown; Resource: unknown }[];
    for (const { Action, Resource } of statements) {
      const actions = [Action].flat() as string[];
      if (actions.every((action) => /^(logs|xray):/.test(action))) continue;
      for (const resource of [Resource].flat()) {
        expect(resource).not.toBe('*');
        const own = actions.some((action) => action.startsWith('sagemaker:')) ? /\/(mlops-demand|mlops-[0-9a-f]{5})-\*/ : /./;
        expect(JSON.stringify(resource)).toMatch(own);
      }
    }
  });

  test(`waits for people without a heartbeat only where it is to: ${name}`, () => {
    const waiting = states.filter(([, { Resource }]) => Resource?.includes('waitForTaskToken'));
    expect(waiting.map(([state]) => state)).toEqual(options.approval === undefined ? [] : ['RequestApproval']);
    for (const [, state] of waiting) {
      expect(state).not.toHaveProperty('HeartbeatSeconds');
      expect(state.TimeoutSeconds).toBe(7 * 86_400 + 3600);
      expect(state.Parameters).toMatchObject({ Payload: { 'taskToken.$': '$$.Task.Token', 'request.$': '$$.Execution.Input' } });
    }
  });
});

describe('with all builders', () => {
  const { stack } = samplePipeline({ within: (scope) => ({ training: tunedTraining(scope), steps: everyStep(scope) }) });
  const { States: states } = definitionOf(stack);
  const parametersOf = (name: string): Parameters => statesOf(states).find(([found]) => found === name)![1].Parameters as Parameters;
  const follow = (first: string, last: string, taken: Readonly<Record<string, string>> = {}): string[] => {
    const path: string[] = [];
    for (let name: string | undefined = first; name && path.length < 60;) {
      path.push(name);
      if (name === last) break;
      const state: State = states[name];
      name = taken[name] ?? state.Next ?? state.Default;
    }
    return path;
  };

  test('steps stand where they were put', () => {
    const taken = { SearchEnded: 'SearchDone', CreateModelKind: 'CreateModel', MakesVersion: 'Baseline' };
    expect(follow('PrepareData', 'Announce', taken)).toEqual([
      ...['PrepareData', 'Features', 'Search', 'SearchWait', 'SearchDescribe', 'SearchEnded', 'SearchDone', 'Tunes', 'Tune', 'DescribeBest'],
      ...['CreateModelKind', 'CreateModel', 'ScoreHoldout', 'ScoreMore', 'Explain', 'Evaluate', 'MakesVersion', 'Baseline', 'Register', 'Notify'],
      'Announce',
    ]);
    expect(parametersOf('PrepareData')).toMatchObject({ next: 'Features' });
  });

  test('a rollback passes none of them', () => {
    expect(states.ReleaseDone.Choices!.map(({ Next }) => Next)).toEqual(['Promote', 'Verify']);
    expect(follow('Verify', 'Promote')).toEqual(['Verify', 'Promote']);
  });

  test('each leaves its result under its own id, and nothing else is touched', () => {
    const own = ['Features', 'Search', 'SearchDescribe', 'ScoreMore', 'Explain', 'Notify', 'Announce', 'Verify'];
    const paths = own.map((name) => (states[name] as unknown as { ResultPath: string }).ResultPath);
    expect(paths).toEqual(own.map((name) => `$.steps.${name.replace('Describe', '')}`));
  });

  test('the names of their jobs differ, and between attempts', () => {
    const names = [
      parametersOf('Features')['ProcessingJobName.$'],
      parametersOf('ScoreMore')['TransformJobName.$'],
      parametersOf('Explain')['ProcessingJobName.$'],
    ] as string[];
    expect(new Set(names).size).toBe(3);
    const attempts = /^States\.Format\('\{\}-\{\}-\{\}-s\d', .*\$\$\.Execution\.RedriveCount, \$\$\.State\.RetryCount\)$/;
    for (const format of names) expect(format).toMatch(attempts);
  });

  test('tuning and AutoML keep within 32 characters, for the longest names too', () => {
    const long = samplePipeline({
      ...{ platformName: 'a-platform-with-a-very-long-name', modelName: 'M'.repeat(32) },
      within: (scope) => ({ training: tunedTraining(scope) }),
    });
    const { Tune } = definitionOf(long.stack).States;
    const format = Tune.Parameters!['HyperParameterTuningJobName.$'] as string;
    const index = long.endpoint.endpointName.split('-').length;
    const [, pattern] = new RegExp(
      `^States\\.Format\\('(.+)', States\\.ArrayGetItem\\(States\\.StringSplit\\(\\$\\.prepared\\.jobNameBase, '-'\\), ${index}\\), .*RetryCount\\)$`,
    ).exec(format)!;
    expect(`${long.endpoint.endpointName}-0123456789a0`.split('-')[index]).toBe('0123456789a0');
    expect(['0123456789a0', '9999', '8'].reduce((made, part) => made.replace('{}', part), pattern).length).toBeLessThanOrEqual(32);
  });

  test('a processing job gets code, rows, keys and network as they were stated', () => {
    expect(parametersOf('Features')).toMatchObject({
      AppSpecification: {
        ContainerEntrypoint: ['sh', '-c', expect.stringContaining('tar -xzf'), 'features.py'],
        'ContainerArguments.$': "States.Array('--run', $.runId)",
      },
      ProcessingInputs: [
        { InputName: 'train', S3Input: { 'S3Uri.$': '$.prepared.trainUri', LocalPath: '/opt/ml/processing/input/train' } },
        { InputName: 'code', S3Input: { LocalPath: '/opt/ml/processing/input/code' } },
      ],
      ProcessingOutputConfig: {
        Outputs: [
          { OutputName: 'train', S3Output: { 'S3Uri.$': "States.Format('{}/steps/Features/train', $.prepared.modelOutputUri)" } },
          { OutputName: 'statistics' },
        ],
      },
      NetworkConfig: { EnableNetworkIsolation: true, VpcConfig: { Subnets: ['subnet-0a1b2c3d', 'subnet-1a1b2c3d'] } },
      Environment: { LEVEL: 'debug' },
    });
    expect((states.Features as unknown as { ResultSelector: object }).ResultSelector).toMatchObject({
      outputs: { 'train.$': '$.ProcessingOutputConfig.Outputs[0].S3Output.S3Uri' },
    });
  });

  test('a poll of AutoML has three transitions', () => {
    expect(follow('SearchWait', 'SearchEnded')).toEqual(['SearchWait', 'SearchDescribe', 'SearchEnded']);
    expect(states.SearchEnded.Default).toBe('SearchWait');
  });
});
