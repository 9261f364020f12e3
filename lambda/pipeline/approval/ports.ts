import { COMMON_ENV } from '../../../lib/common/contract';
import { requireEnv } from '../../common/env';
import { Events } from '../../common/events.client';
import { ModelRegistryClient } from '../../registry/model-registry.client';
import { RunTrackerClient } from '../../tracking/run-tracker.client';
import { Approvals } from './approvals';
import { ApprovalsClient } from './approvals.client';
import { WaitingRunClient } from './waiting-run.client';

/** Approval over the stores that the environment names. */
export const createApprovals = (): Approvals => {
  const events = new Events();
  const tracker = new RunTrackerClient();
  return new Approvals({
    platform: requireEnv(COMMON_ENV.platform),
    store: new ApprovalsClient(),
    registry: new ModelRegistryClient(),
    runs: new WaitingRunClient(),
    announce: (type, detail) => events.putEvent(type, detail),
    record: (runId, step) => tracker.recordStep(runId, step),
    now: () => new Date(),
  });
};
