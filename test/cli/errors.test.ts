import { CliError, explain } from '../../cli/errors';
import { LocalError } from '../../local/errors';

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

describe('an error', () => {
  test('of ours keeps its sentence and its way out apart', () => {
    expect(explain(new CliError('what', 'do'))).toEqual({ message: 'what', fix: 'do' });
    expect(explain(new LocalError('what', 'do'))).toEqual({ message: 'what', fix: 'do' });
    expect(explain(new LocalError('what'))).toEqual({ message: 'what', fix: undefined });
  });

  test.each([
    ['CredentialsProviderError', 'Could not load credentials from any providers', 'no AWS credentials were found', 'log in'],
    ['ExpiredTokenException', 'The security token is expired', 'does not accept the credentials', 'log in'],
    ['Error', 'Region is missing', 'no AWS region is set', 'AWS_REGION'],
    ['AccessDeniedException', 'not authorized to perform: ssm:GetParametersByPath', 'ssm:GetParametersByPath', 'ask for this permission'],
    ['ResourceNotFoundException', 'Requested resource not found', 'is not there', 'deploy'],
    ['ThrottlingException', 'Rate exceeded', 'Rate exceeded', 'try again'],
    ['Error', 'connect ECONNREFUSED 127.0.0.1:1', 'no answer', 'mlops local status'],
  ])('%s of AWS becomes a sentence with a way out', (name, message, sentence, fix) => {
    const told = explain(named(name, message));
    expect(told.message).toContain(sentence);
    expect(told.fix).toContain(fix);
  });

  test('that hides others in it shows the first', () => {
    expect(explain(new AggregateError([new Error('connect ECONNREFUSED ::1:1')])).message).toContain('ECONNREFUSED');
  });

  test('that nobody foresaw is shown as it is', () => {
    expect(explain(new Error('odd'))).toEqual({ message: 'odd' });
    expect(explain('odd')).toEqual({ message: 'odd' });
  });
});
