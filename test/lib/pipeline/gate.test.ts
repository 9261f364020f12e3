import { Size } from 'aws-cdk-lib';
import type { TaskSpec } from '../../../lib/common/contract';
import { Validator } from '../../../lib/common/validation';
import { Gate } from '../../../lib/pipeline/gate';
import { FewBlocks, type BeatsChampionOptions } from '../../../lib/pipeline/gate-options';

const TASK: TaskSpec = { kind: 'BINARY_CLASSIFICATION', target: 'y', timeColumn: 't', positiveLabel: '1' };
const problemsOf = (gate: Gate, task = TASK, days?: number): string => {
  const validator = new Validator('test');
  gate._toSpec(task, validator, days);
  try {
    validator.throwIfAny();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};
const specOf = (gate: Gate) => gate._toSpec(TASK, new Validator('test'));

test('a gate that states nothing but its metric asks for better with certainty, on twenty blocks or wider, with few duplicates', () => {
  expect(specOf(Gate.beatsChampion({ metric: 'auc' }))).toEqual({
    metric: 'auc',
    minimumImprovement: 0,
    confidence: 0.95,
    minimumBlocks: 20,
    fewBlocks: 'widen',
    bounds: [],
    groups: [],
    allowedDuplicateShare: 0.01,
  });
});

test('everything that is stated reaches the function, in its units', () => {
  const gate = Gate.notWorseThanChampion({
    metric: 'auc',
    margin: 0.02,
    bounds: [{ metric: 'recall', worseThan: 0.5 }],
    confidence: 0.9,
    minimumBlocks: 30,
    fewBlocks: FewBlocks.REFUSE,
    groups: [{ column: 'town', metric: 'recall', worseThan: 0.4 }, { column: 'age', metric: 'auc', worseThan: 0.6, minimumRows: 500 }],
    maximumMillisecondsPerRow: 2.5,
    maximumModelSize: Size.mebibytes(200),
    allowedDuplicateShare: 0,
    rowKey: ['id'],
  });
  expect(specOf(gate)).toEqual({
    metric: 'auc',
    minimumImprovement: -0.02,
    confidence: 0.9,
    minimumBlocks: 30,
    fewBlocks: 'refuse',
    bounds: [{ metric: 'recall', worseThan: 0.5 }],
    groups: [
      { column: 'town', metric: 'recall', worseThan: 0.4, minimumRows: 100 },
      { column: 'age', metric: 'auc', worseThan: 0.6, minimumRows: 500 },
    ],
    maximumMillisecondsPerRow: 2.5,
    maximumModelBytes: 209_715_200,
    allowedDuplicateShare: 0,
    rowKey: ['id'],
  });
});

describe('Gate.beatsChampion refuses', () => {
  test.each<[string, Partial<BeatsChampionOptions>, RegExp]>([
    ['no metric', { metric: ' ' }, /metric: must not be empty/],
    ['to be twice as good', { minimumImprovement: 2 }, /minimumImprovement: must be between 0 and 1, got 2/],
    ['a negative improvement', { minimumImprovement: -0.1 }, /minimumImprovement: must be between 0 and 1, got -0.1/],
    ['a bound that is no number', { bounds: [{ metric: 'auc', worseThan: NaN }] }, /bounds\[0\]\.worseThan: must be a number, got NaN/],
    ['certainty', { confidence: 1 }, /confidence: must be between 0\.5 and 0\.999, got 1/],
    ['confidence in percent', { confidence: 95 }, /confidence: .*0\.95 means/],
    ['one block', { minimumBlocks: 1 }, /minimumBlocks: must be between 2 and 10000, got 1/],
    ['a group without a column', { groups: [{ column: '', metric: 'auc', worseThan: 0 }] }, /groups\[0\]\.column: must not be empty/],
    ['a group bound that is no number', { groups: [{ column: 'a', metric: 'auc', worseThan: Infinity }] }, /groups\[0\]\.worseThan: must be a/],
    ['groups of no row', { groups: [{ column: 'a', metric: 'auc', worseThan: 0, minimumRows: 0 }] }, /groups\[0\]\.minimumRows: must be at least 1/],
    ['a time of nothing', { maximumMillisecondsPerRow: 0 }, /maximumMillisecondsPerRow: must be more than 0, got 0/],
    ['duplicates in percent', { allowedDuplicateShare: 5 }, /allowedDuplicateShare: must be between 0 and 1, got 5/],
    ['a row key without columns', { rowKey: [] }, /rowKey: must name columns, each once, got \[\]/],
    ['a row key that names a column twice', { rowKey: ['a', 'a'] }, /rowKey: must name columns, each once/],
  ])('%s', (_, change, message) => {
    expect(() => Gate.beatsChampion({ metric: 'auc', ...change })).toThrow(message);
  });

  test('everything at once, in one message', () => {
    expect(() => Gate.beatsChampion({ metric: 'auc', confidence: 2, minimumBlocks: 0 })).toThrow(/Gate\.beatsChampion: 2 problems/);
  });
});

test.each([0, -0.1, 1.5, NaN])('Gate.notWorseThanChampion refuses a margin of %s', (margin) => {
  const message = /^Gate\.notWorseThanChampion: margin: must be more than 0 and at most 1/;
  expect(() => Gate.notWorseThanChampion({ metric: 'auc', margin })).toThrow(message);
});

test('metrics that the task has not are problems, wherever they are named', () => {
  const gate = Gate.beatsChampion({
    metric: 'rmse',
    bounds: [{ metric: 'mae', worseThan: 1 }],
    groups: [{ column: 'town', metric: 'r2', worseThan: 0 }],
  });
  expect(problemsOf(gate)).toMatch(/gate\.metric: must be a metric of a BINARY_CLASSIFICATION task, got 'rmse'/);
  expect(problemsOf(gate)).toMatch(/gate\.bounds\[0\]\.metric: .*got 'mae'[^]*gate\.groups\[0\]\.metric: .*got 'r2'/);
  expect(problemsOf(gate, { kind: 'REGRESSION', target: 'y' })).toBe('');
});

test('a gate that refuses few days needs a holdout of as many', () => {
  const strict = Gate.beatsChampion({ metric: 'auc', fewBlocks: FewBlocks.REFUSE });
  expect(problemsOf(strict, TASK, 14)).toMatch(/holdout: must be at least the gate's minimumBlocks of 20, since the gate refuses fewer, got 14 days/);
  expect(problemsOf(strict, TASK, 20)).toBe('');
  expect(problemsOf(Gate.beatsChampion({ metric: 'auc' }), TASK, 14)).toBe('');
});
