import { Duration, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Framework } from '../../../lib/pipeline/framework';
import { JobImage } from '../../../lib/pipeline/job-image';
import { FunctionStep } from '../../../lib/pipeline/steps/function-step';
import { PipelineSteps } from '../../../lib/pipeline/steps/pipeline-steps';
import { ProcessingStep } from '../../../lib/pipeline/steps/processing-step';
import { StandardStep } from '../../../lib/pipeline/steps/standard-step';
import { TransformStep } from '../../../lib/pipeline/steps/transform-step';
import { definitionOf, directoryWith, samplePipeline, statesOf } from './samples';

jest.setTimeout(30_000);

const ARN = 'arn:aws:lambda:eu-west-1:111122223333:function:own';
const functionStep = (stack: Stack, id: string): FunctionStep =>
  new FunctionStep(id, { function: lambda.Function.fromFunctionArn(stack, `Own${id}`, ARN) });
const statesWith = (steps: (stack: Stack) => PipelineSteps) =>
  definitionOf(samplePipeline({ within: (stack) => ({ steps: steps(stack) }) }).stack).States;

test('steps before and after one step keep the order in which they were added', () => {
  const states = statesWith((stack) =>
    PipelineSteps.standard()
      .before(StandardStep.EVALUATE, functionStep(stack, 'B1'), functionStep(stack, 'B2'))
      .before(StandardStep.EVALUATE, functionStep(stack, 'B3'))
      .after(StandardStep.EVALUATE, functionStep(stack, 'A1')),
  );
  const path = ['ScoreHoldout', 'B1', 'B2', 'B3', 'Evaluate', 'A1', 'MakesVersion'];
  expect(path.slice(0, -1).map((name) => states[name].Next)).toEqual(path.slice(1));
});

test('the steps of one app serve several pipelines', () => {
  const step = new TransformStep('More', { source: 's3://lake/rows' });
  const steps = PipelineSteps.standard().after(StandardStep.TRAIN, step);
  for (const modelName of ['Demand', 'Churn']) expect(definitionOf(samplePipeline({ steps, modelName }).stack).States).toHaveProperty('More');
});

test('what stands in the place of a step hands its result to those who look for it', () => {
  const states = statesWith((stack) => PipelineSteps.standard().replace(StandardStep.TRAIN, functionStep(stack, 'Fit')));
  expect(states).not.toHaveProperty('Train');
  expect(states.Fit.Next).toBe('FitResult');
  expect(states.FitResult).toMatchObject({ Type: 'Pass', InputPath: '$.steps.Fit', ResultPath: '$.trainingJob', Next: 'CreateModelKind' });
});

test('a moved champion leads back to what scores the holdout, also where that is a step of one’s own', () => {
  const states = statesWith((stack) => PipelineSteps.standard().replace(StandardStep.SCORE_HOLDOUT, functionStep(stack, 'Score')));
  expect(states.NextRound.Next).toBe('Score');
});

test('without a release the version becomes champion as soon as it is approved; a rollback moves the pointer', () => {
  const states = statesWith(() => PipelineSteps.standard().without(StandardStep.RELEASE));
  expect(states).not.toHaveProperty('StartRelease');
  expect([states.Approve.Next, states.CreateRollbackModel.Next]).toEqual(['Promote', 'Promote']);
});

test('a release of one’s own is also taken by rollbacks, the steps after it are not', () => {
  const states = statesWith((stack) =>
    PipelineSteps.standard().replace(StandardStep.RELEASE, functionStep(stack, 'Ship')).after(StandardStep.RELEASE, functionStep(stack, 'Warm')),
  );
  expect([states.Approve.Next, states.CreateRollbackModel.Next]).toEqual(['Ship', 'Ship']);
  expect(states.Released).toMatchObject({ Choices: [{ Variable: '$.prepared.rollback.present', Next: 'Promote' }], Default: 'Warm' });
});

test('no arrangement that synth takes leaves out the gate, the record or the approval, nor promotes before them', () => {
  const arrangements: ((stack: Stack) => PipelineSteps)[] = [
    () => PipelineSteps.standard().without(StandardStep.RELEASE),
    (stack) => PipelineSteps.standard().replace(StandardStep.RELEASE, functionStep(stack, 'Own')),
    (stack) => PipelineSteps.standard().replace(StandardStep.BASELINE, functionStep(stack, 'Own')),
    (stack) => PipelineSteps.standard().replace(StandardStep.SCORE_HOLDOUT, functionStep(stack, 'Own')),
    (stack) => PipelineSteps.standard().replace(StandardStep.TRAIN, functionStep(stack, 'Own')),
  ];
  for (const arrangement of arrangements) {
    const states = statesWith(arrangement);
    // Without any one of these states the promotion is out of reach for a new version.
    for (const needed of ['PrepareData', 'Evaluate', 'Register', 'GatePassed', 'Approve']) {
      const reached = new Set<string>();
      const visit = (name?: string): void => {
        if (name === undefined || name === needed || reached.has(name)) return;
        reached.add(name);
        const { Next, Default, Choices } = states[name];
        [Next, Default, ...(Choices ?? []).map((choice) => choice.Next)].forEach(visit);
      };
      visit(states.Kind.Default);
      expect(reached.has('Promote')).toBe(false);
    }
    expect(statesOf(states).filter(([name]) => name === 'Promote')).toHaveLength(1);
  }
});

describe('synth refuses', () => {
  const refusal = (steps: (stack: Stack) => PipelineSteps) => () => statesWith(steps);

  test.each([
    [StandardStep.PREPARE_DATA, /every later step reads/],
    [StandardStep.TRAIN, /without a training there is no candidate/],
    [StandardStep.SCORE_HOLDOUT, /the gate judges by these scores/],
    [StandardStep.EVALUATE, /the gate decides whether a version may serve/],
    [StandardStep.BASELINE, /a version without a baseline cannot be watched/],
    [StandardStep.REGISTER, /what serves has to be on record/],
    [StandardStep.APPROVE, /nothing serves that nobody answers for/],
    [StandardStep.PROMOTE, /the champion pointer says what serves/],
  ])('to leave out %s, with the reason', (step, reason) => {
    expect(refusal(() => PipelineSteps.standard().without(step))).toThrow(reason);
  });

  test.each([StandardStep.PREPARE_DATA, StandardStep.EVALUATE, StandardStep.REGISTER, StandardStep.APPROVE, StandardStep.PROMOTE])(
    'to replace %s, naming what can be',
    (step) => {
      expect(refusal((stack) => PipelineSteps.standard().replace(step, functionStep(stack, 'Own')))).toThrow(
        /only TRAIN, SCORE_HOLDOUT, BASELINE, RELEASE can be replaced/,
      );
    },
  );

  test('a step before there is a run', () => {
    expect(refusal((stack) => PipelineSteps.standard().before(StandardStep.PREPARE_DATA, functionStep(stack, 'Own')))).toThrow(
      /the run is not on record before.*use after\(StandardStep\.PREPARE_DATA\)/s,
    );
  });

  test('one id for two steps, and ids that are no names', () => {
    expect(
      refusal((stack) => {
        const step = functionStep(stack, 'Own');
        return PipelineSteps.standard().after(StandardStep.TRAIN, step).after(StandardStep.EVALUATE, step);
      }),
    ).toThrow(/steps\.Own: ids must differ/);
    const hyphen = refusal((stack) => PipelineSteps.standard().after(StandardStep.TRAIN, functionStep(stack, 'a-b')));
    expect(hyphen).toThrow(/ids are letters, digits and _/);
  });

  test('a step that is replaced twice', () => {
    expect(
      refusal((stack) =>
        PipelineSteps.standard().replace(StandardStep.TRAIN, functionStep(stack, 'A')).replace(StandardStep.TRAIN, functionStep(stack, 'B')),
      ),
    ).toThrow(/can be replaced or left out once/);
  });

  const image = JobImage.fromFramework(Framework.scikitLearn('1.4-2'));
  test.each<[string, () => unknown, RegExp]>([
    ['code without a script', () => new ProcessingStep('P', { image, directory: directoryWith({}) }), /entryPoint: code and script belong together/],
    [
      'two outputs of one name',
      () => new ProcessingStep('P', { image, outputs: ['a', 'a'] }),
      /ProcessingStep P: outputs: names must differ, and none may be code, got a, a/,
    ],
    [
      'an input that stands in the code’s place',
      () => new ProcessingStep('P', { image, inputs: [{ name: 'code', source: 's3://b/k' }] }),
      /inputs: names/,
    ],
    ['a job of 29 days', () => new ProcessingStep('P', { image, maxRuntime: Duration.days(29) }), /maxRuntime: must be between 60 and/],
    ['an instance type of EC2', () => new TransformStep('T', { source: 's3://b/k', instanceType: 'm5.large' }), /instanceType: SageMaker names/],
    ['an image without a tag', () => JobImage.fromRepository(undefined as never, ''), /tagOrDigest: must not be empty/],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});
