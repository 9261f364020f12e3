import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { untilWon } from '../../../lambda/common/dynamo.client';

const cancelled = (...codes: string[]): TransactionCanceledException =>
  new TransactionCanceledException({ message: 'cancelled', $metadata: {}, CancellationReasons: codes.map((Code) => ({ Code })) });

const quick = { attempts: 4, firstDelayMs: 0, longestDelayMs: 0 };

test('a lost race is tried again until it is won', async () => {
  const attempt = jest.fn().mockRejectedValueOnce(cancelled('None', 'TransactionConflict')).mockResolvedValue('won');
  expect(await untilWon(attempt, quick)).toBe('won');
  expect(attempt).toHaveBeenCalledTimes(2);
});

test('retries end, with the race that was lost last', async () => {
  const attempt = jest.fn().mockRejectedValue(cancelled('ConditionalCheckFailed'));
  await expect(untilWon(attempt, quick)).rejects.toBeInstanceOf(TransactionCanceledException);
  expect(attempt).toHaveBeenCalledTimes(4);
});

test.each([cancelled('ValidationError', 'None'), new Error('connection lost')])('%s is not tried again', async (error) => {
  const attempt = jest.fn().mockRejectedValue(error);
  await expect(untilWon(attempt, quick)).rejects.toBe(error);
  expect(attempt).toHaveBeenCalledTimes(1);
});
