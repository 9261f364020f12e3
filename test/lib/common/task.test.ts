import { Task } from '../../../lib/common/task';

test('a task is handed to the run time as it was declared', () => {
  const regression = Task.regression({ target: 'cnt', timeColumn: 'timestamp' });
  expect(regression._toSpec()).toEqual({ kind: 'REGRESSION', target: 'cnt', timeColumn: 'timestamp' });
  expect(Task.multiclassClassification({ target: 'kind' })._toSpec()).toEqual({ kind: 'MULTICLASS_CLASSIFICATION', target: 'kind' });
  expect(Task.binaryClassification({ target: 'churned', positiveLabel: '1' })._toSpec()).toEqual({
    kind: 'BINARY_CLASSIFICATION',
    target: 'churned',
    positiveLabel: '1',
  });
});

test('fails where target and time are one column, naming place, value and fix', () => {
  expect(() => Task.regression({ target: 'at', timeColumn: 'at' })).toThrow(
    "Task.regression: timeColumn: must differ from target, got 'at'; the time of an event cannot be what is predicted about it",
  );
});

test('fails with all problems of a task at once', () => {
  expect(() => Task.binaryClassification({ target: ' ', positiveLabel: '' })).toThrow(/2 problems[\s\S]*target: [\s\S]*positiveLabel: /);
});
