import { createHash } from 'node:crypto';
import type { PipelineSpec } from '../../../lib/pipeline/contract';
import type { S3Files } from '../../common/s3.client';
import { evaluate, figuresOfHoldout } from '../evaluation/evaluate';
import { keysOf } from '../evaluation/scored-holdout';
import { decide } from '../gate';
import { ScoreReader, type ScoreUris } from '../score-reader';
import { LeakageCheck } from './leakage';
import { reportOf } from './report';
import type { GateReport } from './types';

/** What a run has left for its gate. */
export interface JudgeRequest {
  readonly model: string;
  readonly runId: string;
  readonly prepared: ScoreUris & {
    readonly round: number;
    readonly manifestUri: string;
    readonly champion: { readonly present: boolean; readonly version: number | null; readonly manifestUri?: string | null };
  };
  readonly trainingStatus: string;
  /** model.tar.gz */
  readonly modelUri?: string;
  readonly scoringMilliseconds?: number;
}

/** Reads all that the gate looks at, judges the candidate, and tells everything that was found. */
export const judgeCandidate = async (files: S3Files, request: JudgeRequest, spec: Pick<PipelineSpec, 'gate' | 'task'>): Promise<GateReport> => {
  const { gate, task } = spec;
  const { model, runId, prepared, trainingStatus, modelUri, scoringMilliseconds } = request;
  const { champion, round, holdoutUri } = prepared;
  const leaks = new LeakageCheck(files);
  const manifest = await leaks.manifest(prepared.manifestUri);
  const championManifest = champion.manifestUri ? await leaks.manifest(champion.manifestUri) : undefined;
  const lists = [manifest, championManifest].flatMap((one) => (one?.rowKeys ? [one.rowKeys.columns] : []));
  const holdout = await new ScoreReader(files, task).read(prepared, trainingStatus, {
    championPresent: champion.present,
    groupColumns: [...new Set(gate.groups.map(({ column }) => column))],
    keyColumns: [...new Map(lists.map((columns) => [keysOf(columns), columns])).values()],
  });
  const archive = modelUri === undefined ? undefined : await files.head(modelUri);
  const evidence = {
    leakage: {
      candidate: await leaks.check(manifest, holdout),
      champion: champion.present ? await leaks.check(championManifest, holdout) : { status: 'no-model' as const },
    },
    ...(scoringMilliseconds !== undefined && { scoringMilliseconds }),
    ...(archive && { modelBytes: archive.bytes }),
  };
  const judged = figuresOfHoldout(holdout);
  const decision = decide(gate, holdout, evidence, seedOf(runId), judged);
  const evaluation = evaluate(holdout, gate.metric, judged);
  const about = { model, runId, round, championVersion: champion.version, holdoutUri };
  return reportOf({ about, task, gate, holdout, evidence, decision, evaluation });
};

const seedOf = (runId: string): number => createHash('sha256').update(runId).digest().readUInt32BE(0);
