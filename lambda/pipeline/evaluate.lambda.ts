import { createHash } from 'node:crypto';
import * as z from 'zod';
import { ARTIFACTS_ENV, gateReportKey } from '../../lib/artifacts/contract';
import { type EvaluationResult, PIPELINE_ENV, type PipelineSpec } from '../../lib/pipeline/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { S3Files } from '../common/s3.client';
import { RunTrackerClient } from '../tracking/run-tracker.client';
import { decide, type GateDecision } from './gate';
import { recordedStep } from './recorded-step';
import { ScoreReader } from './score-reader';

const logger = createLogger('pipeline/evaluate');
const files = new S3Files();

const uri = z.string().startsWith('s3://');
/** A time reaches a state as text, milliseconds, or the seconds that SageMaker itself writes. */
const moment = z
  .union([z.number(), z.string()])
  .transform((value) => new Date(typeof value === 'number' && value < 1e11 ? value * 1000 : value).toISOString());

const Input = z.object({
  model: z.string().min(1),
  runId: z.string().min(1),
  prepared: z.object({
    holdoutUri: uri,
    candidateScoresUri: uri,
    championScoresUri: uri,
    modelOutputUri: uri,
    champion: z.object({ present: z.boolean(), version: z.number().int().nullable() }),
  }),
  trainingJob: z.object({ TrainingJobName: z.string(), TrainingJobStatus: z.string(), CreationTime: moment, LastModifiedTime: moment }),
});

type Input = z.infer<typeof Input>;

/** Judges the candidate on the holdout against the champion and writes the report of the decision. */
export const handler = async (event: unknown): Promise<EvaluationResult> => {
  const { model, runId, prepared, trainingJob } = Input.parse(event);
  const { champion, holdoutUri } = prepared;
  const spec = requireJsonEnv<PipelineSpec>(PIPELINE_ENV.spec);
  const runs = new RunTrackerClient();
  await recordJobs(runs, runId, prepared, trainingJob);

  const reportUri = `s3://${requireEnv(ARTIFACTS_ENV.reportsBucket)}/${gateReportKey(model, runId)}`;
  const decision = await recordedStep(runs, runId, 'evaluate', { inputs: { holdout: holdoutUri } }, async () => {
    const scored = await new ScoreReader(files, spec.task).read(prepared, trainingJob.TrainingJobStatus, champion.present);
    const seed = createHash('sha256').update(runId).digest().readUInt32BE(0);
    const result = decide(spec.gate, spec.task, scored, seed);
    await files.putJson(reportUri, { schemaVersion: 1, model, runId, championVersion: champion.version, holdoutUri, gate: spec.gate, ...result });
    return { result, outputs: { report: reportUri } };
  });

  await runs.logMetrics(runId, { ...decision.metrics, ...prefixed('champion.', decision.championMetrics ?? {}) });
  logger.info('candidate judged', { model, runId, passed: decision.passed, rows: decision.rows });
  return toResult(decision, reportUri);
};

/** The jobs ran in the state machine, where no code of ours could record them. */
const recordJobs = async (
  runs: RunTrackerClient,
  runId: string,
  { modelOutputUri, candidateScoresUri }: Input['prepared'],
  job: Input['trainingJob'],
): Promise<void> => {
  const status = 'FINISHED';
  const [startTime, endTime] = [job.CreationTime, job.LastModifiedTime];
  const scored = new Date().toISOString();
  await runs.recordStep(runId, { name: 'train', status, startTime, endTime, outputs: { job: job.TrainingJobName, model: modelOutputUri } });
  await runs.recordStep(runId, { name: 'score', status, startTime: endTime, endTime: scored, outputs: { candidate: candidateScoresUri } });
};

const prefixed = (prefix: string, metrics: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}${name}`, value]));

const toResult = ({ passed, reason, metrics, championMetrics }: GateDecision, reportUri: string): EvaluationResult => ({
  passed,
  reason,
  reportUri,
  metrics,
  ...(championMetrics && { championMetrics }),
});
