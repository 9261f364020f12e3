import * as fs from 'node:fs';
import validate from 'asl-validator';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import { TASK_METRICS } from '../../../lib/common/contract';
import { Task } from '../../../lib/common/task';
import { PIPELINE_ENV } from '../../../lib/pipeline/contract';
import { Framework } from '../../../lib/pipeline/framework';
import { Gate } from '../../../lib/pipeline/gate';
import { FewBlocks } from '../../../lib/pipeline/gate-options';
import { Holdout } from '../../../lib/pipeline/holdout';
import { Training } from '../../../lib/pipeline/training';
import { Serving } from '../../../lib/serving/serving';
import { definitionOf, directoryWith, expectBoundedRetries, samplePipeline, type State, statesOf } from './samples';

const { stack } = samplePipeline();
const definition = definitionOf(stack);
const states = statesOf(definition.States);
const tasks = states.filter(([, { Type }]) => Type === 'Task');
const stateNamed = (name: string): State => states.find(([found]) => found === name)![1];

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: Record<string, Record<string, unknown>>;
}

const statementsOf = (logicalId: RegExp): Statement[] =>
  Object.entries(Template.fromStack(stack).toJSON().Resources as Record<string, { Type: string; Properties: Record<string, never> }>)
    .filter(([id, { Type }]) => logicalId.test(id) && Type === 'AWS::IAM::Role')
    .flatMap(([, { Properties }]) => (Properties.Policies ?? []) as { PolicyDocument: { Statement: Statement[] } }[])
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);

describe('the state machine', () => {
  test('is valid Amazon States Language', () => {
    expect(validate(definition)).toMatchObject({ isValid: true });
  });

  test.each(tasks)('%s has a timeout, retries only what passes, with jitter and a longest delay, and catches nothing', (_, task) => {
    expect(task.TimeoutSeconds).toBeGreaterThan(0);
    expectBoundedRetries(task.Retry);
    expect(task.Catch).toBeUndefined();
  });

  /** States from one on; what each choice leads to is its default where no other is named. */
  const pathFrom = (first: string, taken: Readonly<Record<string, string>>): string[] => {
    const path: string[] = [];
    for (let name: string | undefined = first; name && !path.includes(name);) {
      path.push(name);
      const state: State = definition.States[name];
      const choices = state.Choices?.map(({ Next }) => Next) ?? [];
      if (taken[name] !== undefined) expect([...choices, state.Default]).toContain(taken[name]);
      name = taken[name] ?? state.Next ?? state.Default;
    }
    return path;
  };
  const passed = {
    CreateModelKind: 'CreateModel',
    MakesVersion: 'Baseline',
    GatePassed: 'Approve',
    ReleaseDone: 'Promote',
  };

  test('goes from data to a promoted version in this order', () => {
    expect(pathFrom('Kind', passed)).toEqual([
      ...['Kind', 'PrepareData', 'Train', 'CreateModelKind', 'CreateModel', 'ScoreHoldout', 'Evaluate', 'MakesVersion', 'Baseline', 'Register'],
      ...['GatePassed', 'Approve', 'StartRelease', 'ChampionMoved', 'WaitForRelease', 'CheckRelease', 'ReleaseDone', 'Promote', 'RolledBack'],
      'FinishPromoted',
    ]);
    expect(definition.States.GatePassed.Default).toBe('FinishRejected');
    expect(definition.States.ReleaseDone.Default).toBe('WaitForRelease');
  });

  test('a rollback trains and judges nothing: the pointer moves, then the endpoint', () => {
    expect(definition.States.Kind.Choices).toHaveLength(1);
    const taken = { Kind: 'MovePointer', CreateRollbackModelKind: 'CreateRollbackModel', ReleaseDone: 'Promote', RolledBack: 'FinishRolledBack' };
    expect(pathFrom('Kind', taken)).toEqual([
      ...['Kind', 'MovePointer', 'CreateRollbackModelKind', 'CreateRollbackModel', 'StartRelease', 'ChampionMoved', 'WaitForRelease'],
      ...['CheckRelease', 'ReleaseDone', 'Promote', 'RolledBack', 'FinishRolledBack'],
    ]);
    expect(stateNamed('StartRelease').Parameters).toMatchObject({ 'rollback.$': '$.prepared.rollback.present' });
  });

  test('where another champion serves by now, the candidate is scored and judged once more, against that one', () => {
    expect(definition.States.ChampionMoved.Choices![0].Next).toBe('NextRound');
    expect(stateNamed('NextRound')).toMatchObject({ InputPath: '$.release.prepared', ResultPath: '$.prepared', Next: 'ScoreHoldout' });
  });

  test('a standard run has at most 40 transitions beside polls, and a poll has 3', () => {
    const branches = stateNamed('ScoreHoldout').Branches!.flatMap(({ States }) => Object.keys(States));
    expect(pathFrom('Kind', passed).length + branches.length).toBeLessThanOrEqual(40);
    expect(pathFrom('WaitForRelease', { ReleaseDone: 'WaitForRelease' })).toHaveLength(3);
  });

  test('every name made at run time differs between redrives and retries and keeps within 63 characters', () => {
    const longest = samplePipeline({ platformName: 'a-platform-with-a-very-long-name', modelName: 'M'.repeat(32) });
    const prefix = longest.endpoint.endpointName;
    expect(prefix.length).toBeLessThanOrEqual(39);
    const base = `${prefix}-0123456789ab`;
    for (const [state, field] of [
      ['Train', 'TrainingJobName'],
      ['CreateModel', 'ModelName'],
      ['ScoreCandidate', 'TransformJobName'],
    ] as const) {
      const format = stateNamed(state).Parameters![`${field}.$`] as string;
      const [, pattern] = /^States\.Format\('(.+)', \$\.prepared\.jobNameBase, \$\$\.Execution\.RedriveCount, \$\$\.State\.RetryCount\)$/.exec(
        format,
      )!;
      expect(['9999', '8'].reduce((name, count) => name.replace('{}', count), pattern.replace('{}', base)).length).toBeLessThanOrEqual(63);
    }
    const suffixes = ['ScoreCandidate', 'ScoreChampion'].map((name) => stateNamed(name).Parameters!['TransformJobName.$']);
    expect(new Set(suffixes).size).toBe(2);
    const config = definitionOf(longest.stack).States.StartRelease.Parameters!['endpointConfigName.$'] as string;
    expect(/^States\.Format\('(.+)',/.exec(config)![1].replace('{}', '9999999').length).toBeLessThanOrEqual(63);
  });

  test('another size of the endpoint gives another configuration name, the same size the same', () => {
    const nameOf = (serving: Serving) => definitionOf(samplePipeline({ serving }).stack).States.StartRelease.Parameters!['endpointConfigName.$'];
    expect(nameOf(Serving.serverless({ maxConcurrency: 5 }))).toBe(nameOf(Serving.serverless()));
    expect(nameOf(Serving.serverless({ maxConcurrency: 6 }))).not.toBe(nameOf(Serving.serverless()));
  });

  test('what a job is made from comes from the run, so that a rebuild takes it from the record', () => {
    expect(stateNamed('Train').Parameters).toMatchObject({
      'HyperParameters.$': '$.prepared.training.hyperParameters',
      AlgorithmSpecification: { 'TrainingImage.$': '$.prepared.training.image' },
      ResourceConfig: { 'InstanceType.$': '$.prepared.training.instanceType' },
    });
  });

  test('a rebuild is compared and ends there: it is never registered, released or promoted', () => {
    expect(definition.States.MakesVersion.Default).toBe('Compare');
    expect(stateNamed('Compare').Next).toBe('FinishRebuilt');
    expect(stateNamed('FinishRebuilt')).toMatchObject({ End: true });
  });

  test('the champion is promoted over the one that the candidate was judged against', () => {
    expect(stateNamed('Promote').Parameters).toMatchObject({ 'expectedChampion.$': '$.prepared.champion.version' });
  });

  test('logs everything, is traced, and ends by itself', () => {
    Template.fromStack(stack).hasResourceProperties('AWS::StepFunctions::StateMachine', {
      LoggingConfiguration: { Level: 'ALL' },
      TracingConfiguration: { Enabled: true },
    });
    const sum = tasks.map(([, { TimeoutSeconds }]) => TimeoutSeconds!).reduce((a, b) => Math.max(a, b));
    expect(definition.TimeoutSeconds).toBeGreaterThan(sum);
  });

  test('leaves before the endpoint is removed, so that no run makes it anew', () => {
    const template = Template.fromStack(stack);
    const [removal] = Object.keys(template.findResources('Custom::MlOpsEndpointRemoval'));
    const machines = Object.entries(template.findResources('AWS::StepFunctions::StateMachine'));
    const [, machine] = machines.find(([id]) => id.startsWith('Pipeline'))!;
    expect(machine.DependsOn).toContain(removal);
  });
});

describe('permissions', () => {
  test('of the state machine end at its own functions, jobs and roles', () => {
    const statements = statementsOf(/StateMachineRole/);
    const everywhere = statements.filter(({ Resource }) => [Resource].flat().includes('*')).flatMap(({ Action }) => [Action].flat());
    expect(everywhere.filter((action) => !/^(logs|xray):/.test(action))).toEqual([]);
    const passing = statements.filter(({ Action }) => [Action].flat().includes('iam:PassRole'));
    expect(passing.length).toBeGreaterThan(0);
    for (const { Condition } of passing) expect(Condition).toEqual({ StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } });
    const jobs = statements.filter(({ Action }) => [Action].flat().some((action) => action.startsWith('sagemaker:')));
    for (const { Resource } of jobs) for (const resource of [Resource].flat()) expect(JSON.stringify(resource)).toMatch(/mlops-demand-\*/);
  });

  test('of SageMaker’s roles hold what a job with an output key needs, and pull also the image of a champion of the other framework', () => {
    for (const role of [/TrainingRole/, /ExecutionRole/]) {
      const statements = statementsOf(role);
      const actions = statements.flatMap(({ Action }) => [Action].flat());
      expect(actions).toEqual(expect.arrayContaining(['kms:Encrypt', 'kms:GenerateDataKey', 'kms:Decrypt']));
      const pull = statements.find(({ Action }) => [Action].flat().includes('ecr:BatchGetImage'));
      const images = [pull?.Resource].flat().map((resource) => JSON.stringify(resource));
      expect(images).toEqual([expect.stringContaining('repository/sagemaker-xgboost'), expect.stringContaining('repository/sagemaker-scikit-learn')]);
    }
  });

  test('of SageMaker’s roles reach no bucket as a whole, and only SageMaker of this account may assume them', () => {
    for (const role of [/TrainingRole/, /ExecutionRole/]) {
      const statements = statementsOf(role);
      const everywhere = statements.filter(({ Resource }) => [Resource].flat().includes('*')).flatMap(({ Action }) => [Action].flat());
      expect(everywhere.sort()).toEqual(['cloudwatch:PutMetricData', 'ecr:GetAuthorizationToken']);
      const objects = statements.filter(({ Action }) => [Action].flat().some((action) => /^s3:(Get|Put)Object/.test(action)));
      for (const { Resource } of objects) expect(JSON.stringify(Resource)).toMatch(/runs\/Demand\/\*/);
    }
    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Role', {
      Description: 'Trains the model Demand',
      AssumeRolePolicyDocument: {
        Statement: [Match.objectLike({ Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } } })],
      },
    });
  });

  test('the first step may read the constraints of its own model and what its baselines suggest, and write neither', () => {
    const statements = statementsOf(/PrepareData/);
    for (const prefix of ['/constraints/Demand.json*', '/baselines/Demand/*']) {
      const found = statements.filter(({ Resource }) => JSON.stringify(Resource).includes(prefix));
      expect(found.flatMap(({ Action }) => Action).sort()).toEqual(['s3:GetObject', 's3:GetObjectVersion']);
    }
  });

  test('to start runs can be granted', () => {
    const sample = samplePipeline();
    sample.pipeline.grantStartRun(new iam.Role(sample.stack, 'Caller', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') }));
    Template.fromStack(sample.stack).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: [Match.objectLike({ Action: 'states:StartExecution' })] },
    });
  });
});

describe('runs that end badly', () => {
  test('reach the failure handler, and its dead letters where it cannot take them', () => {
    Template.fromStack(stack).hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: { status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'RUNNING'], stateMachineArn: [Match.anyValue()] },
      },
      Targets: [Match.objectLike({ DeadLetterConfig: Match.anyValue(), RetryPolicy: Match.anyValue() })],
    });
  });
});

/** Of so many types, that of the training among them. */
const pricesOf = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [index === 0 ? 'ml.m5.large' : `ml.m${index}.xlarge`, index]));

test('prices of instances reach the function that opens runs, and only where they are stated', () => {
  const environmentOf = (instancePrices?: Record<string, number>) =>
    Object.values(Template.fromStack(samplePipeline({ instancePrices }).stack).findResources('AWS::Lambda::Function')).flatMap(({ Properties }) =>
      (Properties as { Environment?: { Variables: Record<string, string> } }).Environment?.Variables[PIPELINE_ENV.prices] ?? [],
    );
  expect(environmentOf(pricesOf(20))).toEqual([JSON.stringify(pricesOf(20))]);
  expect(environmentOf()).toEqual([]);
});

describe('synth refuses', () => {
  const script = { directory: directoryWith({ 'train.py': '' }), entryPoint: 'train.py', framework: Framework.xgboost('3.0-5') };

  test('a gate on a metric that the task does not have, naming those it has', () => {
    expect(() => samplePipeline({ gate: Gate.beatsChampion({ metric: 'auc', bounds: [{ metric: 'f1', worseThan: 1 }] }) })).toThrow(
      /2 problems[\s\S]*gate\.metric: must be a metric of a REGRESSION task, got 'auc'; choose one of rmse, mae[\s\S]*gate\.bounds\[0\]\.metric/,
    );
  });

  test('a pipeline that does not say who approves', () => {
    expect(() => samplePipeline({ approval: undefined })).toThrow(/approval: who approves a version has to be stated; use Approval\.automatic\(\)/);
  });

  test('a holdout of days without the time of rows', () => {
    const training = Training.script({ ...script, holdout: Holdout.lastDays(3) });
    expect(() => samplePipeline({ training, task: Task.regression({ target: 'cnt' }) })).toThrow(
      /training\.holdout: a holdout of days needs the time/,
    );
  });

  test('a gate that refuses few days beside a holdout of fewer, also one that nobody stated', () => {
    const gate = Gate.beatsChampion({ metric: 'rmse', fewBlocks: FewBlocks.REFUSE });
    const refused = /training\.holdout: must be at least the gate's minimumBlocks of 20, .*, got (14|19) days; hold out more/;
    expect(() => samplePipeline({ gate })).toThrow(refused);
    expect(() => samplePipeline({ gate, training: Training.script({ ...script, holdout: Holdout.lastDays(19) }) })).toThrow(refused);
    expect(() => samplePipeline({ gate, training: Training.script({ ...script, holdout: Holdout.lastDays(20) }) })).not.toThrow();
    expect(() => samplePipeline({ gate, task: Task.regression({ target: 'cnt' }) })).not.toThrow();
  });

  test.each<[string, Record<string, number>, RegExp]>([
    ['of a type of EC2', { 'm5.large': 0.1, 'ml.m5.large': 0.1 }, /instancePrices\['m5\.large'\]: must be for a type of SageMaker’s instances/],
    ['below nothing', { 'ml.m5.large': -1 }, /instancePrices\['ml\.m5\.large'\]: must be from 0 to 2000, got -1; state US dollars/],
    ['that is no number', { 'ml.m5.large': NaN }, /must be from 0 to 2000, got NaN/],
    ['without that of the training', { 'ml.c5.large': 1 }, /must have a price for ml\.m5\.large, which the pipeline uses, got ml\.c5\.large/],
    ['of more types than an environment holds', pricesOf(21), /instancePrices: must be between 0 and 20, got 21/],
  ])('a price %s', (_, instancePrices, message) => {
    expect(() => samplePipeline({ instancePrices })).toThrow(message);
  });

  test.each(Object.entries(TASK_METRICS))('nothing for the default gate of %s', (kind) => {
    const task = {
      REGRESSION: Task.regression({ target: 'y' }),
      BINARY_CLASSIFICATION: Task.binaryClassification({ target: 'y', positiveLabel: '1' }),
      MULTICLASS_CLASSIFICATION: Task.multiclassClassification({ target: 'y' }),
    }[kind]!;
    expect(() => samplePipeline({ task })).not.toThrow();
  });
});

test('the code that was packed at synth is not left behind', () => {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = directoryWith({});
  try {
    samplePipeline();
    expect(fs.readdirSync(process.env.TMPDIR).filter((name) => name.startsWith('mlops-code-'))).toEqual([]);
  } finally {
    process.env.TMPDIR = before;
    if (before === undefined) delete process.env.TMPDIR;
  }
});
