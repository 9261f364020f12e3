import { Match, Template } from 'aws-cdk-lib/assertions';
import { PIPELINE_ENV, type PipelineSpec } from '../../../lib/pipeline/contract';
import { PermutationImportance, type PermutationImportanceOptions } from '../../../lib/pipeline/permutation-importance';
import { definitionOf, samplePipeline, type State, statesOf } from './samples';

const importanceOf = (permutationImportance?: PermutationImportance): PipelineSpec['importance'] => {
  const template = Template.fromStack(samplePipeline({ permutationImportance }).stack);
  const withSpec = { Environment: { Variables: { [PIPELINE_ENV.spec]: Match.anyValue() } } };
  const specs = Object.values(template.findResources('AWS::Lambda::Function', { Properties: withSpec })).map(
    ({ Properties }) => JSON.stringify(Properties.Environment.Variables[PIPELINE_ENV.spec]),
  );
  expect(specs.length).toBeGreaterThan(1);
  const found = specs.map((spec) => /\\"importance\\\\?":(\{[^}]*\})/.exec(spec)?.[1].replaceAll('\\', ''));
  expect(new Set(found).size).toBe(1);
  return found[0] === undefined ? undefined : (JSON.parse(found[0]) as PipelineSpec['importance']);
};

test('is made of a sample by default, of the one that is asked for, or not at all', () => {
  expect(importanceOf()).toEqual({ repeats: 5, maxSamples: 500, maximumRows: 50_000 });
  expect(importanceOf(PermutationImportance.sampled({ repeats: 1, maxSamples: 200 }))).toEqual({ repeats: 1, maxSamples: 200, maximumRows: 50_000 });
  expect(importanceOf(PermutationImportance.off())).toBeUndefined();
});

test.each<[PermutationImportanceOptions, string]>([
  [{ repeats: 0 }, 'repeats: must be a whole number from 1 to 100, got 0'],
  [{ repeats: 2.5 }, 'repeats'],
  [{ maxSamples: 10 }, 'maxSamples: must be a whole number from 50 to 100000'],
  [{ maximumRows: 2_000_000 }, 'maximumRows: must be a whole number from 100 to 1000000'],
])('refuses %j at synth', (options, message) => {
  expect(() => PermutationImportance.sampled(options)).toThrow(message);
});

test('the candidate scores what lies beside the holdout, the champion the holdout alone', () => {
  const states = statesOf(definitionOf(samplePipeline().stack).States);
  const inputOf = (name: string): unknown => {
    const [, state] = states.find(([found]) => found === name) as [string, State];
    return (state.Parameters as { readonly TransformInput: { readonly DataSource: object } }).TransformInput.DataSource;
  };
  expect(inputOf('ScoreCandidate')).toEqual({ S3DataSource: { S3DataType: 'S3Prefix', 'S3Uri.$': '$.prepared.candidateInputUri' } });
  expect(inputOf('ScoreChampion')).toEqual({ S3DataSource: { S3DataType: 'S3Prefix', 'S3Uri.$': '$.prepared.holdoutFeaturesUri' } });
});
