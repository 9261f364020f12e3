import * as z from 'zod';
import { createLogger } from '../common/logger';
import { ModelRegistryClient } from './model-registry.client';

const Input = z.object({
  model: z.string().min(1),
  version: z.number().int().positive(),
  /** Name of the policy that approves, as the app declared it. */
  policy: z.string().min(1),
  reason: z.string().min(1),
});

const logger = createLogger('approve-version');
const registry = new ModelRegistryClient();

/** Step of the pipeline: puts an approval by the app's declared policy on record, with the gate's report as its evidence. */
export const handler = async (event: unknown) => {
  const { model, version, policy, reason } = Input.parse(event);
  const { gate } = await registry.getVersion(model, version);
  const { state } = await registry.transition(model, version, 'Approved', {
    actor: `policy:${policy}`,
    reason,
    evidenceUri: gate?.reportUri,
  });
  logger.info('version approved', { model, version, policy });
  return { version, state };
};
