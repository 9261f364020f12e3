import * as z from 'zod';
import { ARTIFACTS_ENV, gatePageKey, gateReportKey } from '../../lib/artifacts/contract';
import { type EvaluationResult, PIPELINE_ENV, type PipelineSpec } from '../../lib/pipeline/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { S3Files } from '../common/s3.client';
import { RunTrackerClient } from '../tracking/run-tracker.client';
import { judgeCandidate, type JudgeRequest } from './gate/judge';
import { renderGate } from './gate/page/render';
import { groupMetrics, importanceMetrics } from './gate/report';
import { recordedStep } from './recorded-step';

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
    round: z.number().int().min(0).default(0),
    manifestUri: uri,
    holdoutUri: uri,
    candidateScoresUri: uri,
    championScoresUri: uri,
    modelOutputUri: uri,
    champion: z.object({ present: z.boolean(), version: z.number().int().nullable(), manifestUri: uri.nullish() }),
  }),
  trainingJob: z.object({
    TrainingJobName: z.string(),
    TrainingJobStatus: z.string(),
    CreationTime: moment,
    LastModifiedTime: moment,
    ModelArtifacts: z.object({ S3ModelArtifacts: uri }).nullish(),
  }),
  /** The jobs that scored the holdout; without times a gate that bounds them is not passed. */
  scoring: z.object({ candidate: z.object({ TransformStartTime: moment.nullish(), TransformEndTime: moment.nullish() }).nullish() }).nullish(),
});

type Input = z.infer<typeof Input>;

/** Judges the candidate on the holdout against the champion and writes the report of the decision. */
export const handler = async (event: unknown): Promise<EvaluationResult> => {
  const input = Input.parse(event);
  const { model, runId, prepared } = input;
  const spec = requireJsonEnv<PipelineSpec>(PIPELINE_ENV.spec);
  const runs = new RunTrackerClient();
  await recordJobs(runs, input);

  const at = (key: string): string => `s3://${requireEnv(ARTIFACTS_ENV.reportsBucket)}/${key}`;
  const reportUri = at(gateReportKey(model, runId, prepared.round));
  const htmlUri = at(gatePageKey(model, runId, prepared.round));
  const report = await recordedStep(runs, runId, 'evaluate', { inputs: { holdout: prepared.holdoutUri } }, async () => {
    const result = await judgeCandidate(files, requestOf(input), spec);
    await files.putText(htmlUri, renderGate(result), { contentType: 'text/html; charset=utf-8' });
    await files.putJson(reportUri, result);
    return { result, outputs: { report: reportUri, page: htmlUri } };
  });

  const { passed, reason, rows, metrics, championMetrics } = report;
  await runs.logMetrics(runId, { ...metrics, ...prefixed('champion.', championMetrics ?? {}), ...importanceMetrics(report) });
  logger.info('candidate judged', { model, runId, passed, rows });
  return { passed, reason, reportUri, htmlUri, metrics: { ...metrics, ...groupMetrics(report) }, ...(championMetrics && { championMetrics }) };
};

const requestOf = ({ model, runId, prepared, trainingJob, scoring }: Input): JudgeRequest => {
  const { TransformStartTime: start, TransformEndTime: end } = scoring?.candidate ?? {};
  return {
    ...{ model, runId, prepared, trainingStatus: trainingJob.TrainingJobStatus, modelUri: trainingJob.ModelArtifacts?.S3ModelArtifacts },
    ...(start && end && { scoringMilliseconds: Date.parse(end) - Date.parse(start) }),
  };
};

/** The jobs ran in the state machine, where no code of ours could record them. */
const recordJobs = async (runs: RunTrackerClient, { runId, prepared, trainingJob: job, scoring }: Input): Promise<void> => {
  const status = 'FINISHED';
  const { modelOutputUri, candidateScoresUri } = prepared;
  const [startTime, endTime] = [job.CreationTime, job.LastModifiedTime];
  await runs.recordStep(runId, { name: 'train', status, startTime, endTime, outputs: { job: job.TrainingJobName, model: modelOutputUri } });
  await runs.recordStep(runId, {
    name: 'score',
    status,
    startTime: scoring?.candidate?.TransformStartTime ?? endTime,
    endTime: scoring?.candidate?.TransformEndTime ?? new Date().toISOString(),
    outputs: { candidate: candidateScoresUri },
  });
};

const prefixed = (prefix: string, metrics: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}${name}`, value]));
