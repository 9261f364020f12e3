import * as z from 'zod';
import { createLogger } from '../common/logger';
import { recordedStep } from '../pipeline/recorded-step';
import { RunTrackerClient } from '../tracking/run-tracker.client';
import { ModelRegistryClient } from './model-registry.client';

const Input = z.object({
  model: z.string().min(1),
  /** Run that the step belongs to. */
  runId: z.string().min(1).optional(),
  version: z.number().int().positive(),
  /** Name of the policy that approves, as the app declared it. */
  policy: z.string().min(1),
  reason: z.string().min(1),
  /** Judgement that the version has passed; a later one is approved anew, with its own report as evidence. */
  round: z.number().int().min(0).default(0),
  reportUri: z.string().startsWith('s3://').optional(),
});

const logger = createLogger('approve-version');
const registry = new ModelRegistryClient();

/** Step of the pipeline: puts an approval by the app's declared policy on record, with the gate's report as its evidence. */
export const handler = async (event: unknown) => {
  const input = Input.parse(event);
  if (input.runId === undefined) return approve(input);
  const inputs = { version: String(input.version), reason: input.reason };
  return recordedStep(new RunTrackerClient(), input.runId, 'approve', { inputs }, async () => ({ result: await approve(input) }));
};

const approve = async ({ model, version, policy, reason, round, reportUri }: z.infer<typeof Input>) => {
  const evidenceUri = reportUri ?? (await registry.getVersion(model, version)).gate?.reportUri;
  if (round > 0) await registry.askApproval(model, version, { round, startedBy: null }, { actor: 'pipeline', reason, evidenceUri });
  const { state } = await registry.transition(model, version, 'Approved', { actor: `policy:${policy}`, reason, evidenceUri });
  logger.info('version approved', { model, version, policy, round });
  return { version, state };
};
