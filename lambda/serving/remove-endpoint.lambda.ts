import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';
import * as z from 'zod';
import { createLogger } from '../common/logger';
import { type Outcome, respond } from './custom-resource';
import { EndpointClient } from './endpoint.client';
import { removeEndpoint } from './removal';
import { RollbackAlarms } from './rollback-alarms.client';

const logger = createLogger('serving/remove-endpoint');
const made = { endpoints: new EndpointClient(), alarms: new RollbackAlarms() };

/** Time that answering CloudFormation needs; without an answer a stack waits for an hour. */
const RESERVE_MILLISECONDS = 15_000;

const Properties = z.object({ EndpointName: z.string().min(1) });

/** Custom resource: nothing to do until the model or its stack goes; then what the pipeline made at run time goes too. */
export const handler = async (event: CloudFormationCustomResourceEvent, context: Context): Promise<void> => {
  // CloudFormation deletes what it knows by this id: also where the name in the template has changed since.
  let physicalResourceId = event.RequestType === 'Create' ? event.LogicalResourceId : event.PhysicalResourceId;
  let outcome: Outcome;
  try {
    if (event.RequestType === 'Delete') {
      await removeEndpoint(physicalResourceId, made, { timeLeft: () => context.getRemainingTimeInMillis() - RESERVE_MILLISECONDS });
    } else {
      physicalResourceId = Properties.parse(event.ResourceProperties).EndpointName;
    }
    logger.info('custom resource done', { request: event.RequestType, endpointName: physicalResourceId });
    outcome = { status: 'SUCCESS', physicalResourceId };
  } catch (error) {
    logger.error('custom resource failed', { request: event.RequestType, endpointName: physicalResourceId, error: error as Error });
    outcome = { status: 'FAILED', physicalResourceId, reason: (error as Error).message };
  }
  await respond(event, outcome);
};
