import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { RETRYABLE_ERRORS } from './contract';

/** SageMaker's throttling and 5xx reach a state under these names, and so does a request that is refused for good. */
const UNNAMED_ERRORS = ['SageMaker.AmazonSageMakerException', 'SageMaker.SageMakerException'];

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

/**
 * For requests to SageMaker: what has a name of its own as for every task, the rest a few times in 10 + 20 + 40 + 80 seconds at most, so that what is
 * refused for good does not keep the run for long.
 *
 * @internal
 */
export const retrySageMaker = <T extends sfn.TaskStateBase>(task: T): T => {
  retryWhatPasses(task).addRetry({
    errors: UNNAMED_ERRORS,
    interval: Duration.seconds(10),
    backoffRate: 2,
    maxAttempts: 4,
    jitterStrategy: sfn.JitterType.FULL,
  });
  return task;
};
