import { Lazy } from 'aws-cdk-lib';
import { MlOpsValidationError, Validator } from '../../../lib/common/validation';

test('throws once, with every problem: rule, place, value and fix', () => {
  const validator = new Validator('Thing App/Thing').range('days', 0, 1, 10).pattern('name', '1x', /^[a-z]/, 'must begin with a letter', 'rename it');
  expect(() => validator.throwIfAny()).toThrow(MlOpsValidationError);
  expect(() => validator.throwIfAny()).toThrow(
    'Thing App/Thing: 2 problems\n' +
      '  - days: must be between 1 and 10, got 0; choose a value in that range for days\n' +
      "  - name: must begin with a letter, got '1x'; rename it",
  );
});

test('judges no value that is known only at deploy', () => {
  const validator = new Validator('Thing')
    .range('days', Lazy.number({ produce: () => 0 }), 1, 10)
    .pattern('name', Lazy.string({ produce: () => '1' }), /^[a-z]/, 'rule', 'fix');
  expect(() => validator.throwIfAny()).not.toThrow();
});
