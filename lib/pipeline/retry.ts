import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { RETRYABLE_ERRORS } from './contract';

/**
 * For every task: throttling, capacity and 5xx, nothing else. At most 10 + 20 + 40 + 80 + 160 + 3 × 300 seconds, about 20 minutes: capacity that
 * is short for longer than that fails the run, and a redrive goes on from there. Full jitter keeps runs that failed together apart.
 *
 * @internal
 */
export const retryWhatPasses = <T extends sfn.TaskStateBase>(task: T): T => {
  task.addRetry({
    errors: [...RETRYABLE_ERRORS],
    interval: Duration.seconds(10),
    backoffRate: 2,
    maxAttempts: 8,
    maxDelay: Duration.minutes(5),
    jitterStrategy: sfn.JitterType.FULL,
  });
  return task;
};
