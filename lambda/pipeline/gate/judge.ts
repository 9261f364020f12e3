import { createHash } from 'node:crypto';
import type { DataManifest, PermutedRowsRef } from '../../../lib/artifacts/contract';
import type { PipelineSpec } from '../../../lib/pipeline/contract';
import type { S3Files } from '../../common/s3.client';
import { evaluate, figuresOfHoldout } from '../evaluation/evaluate';
import { importanceOf, type NoImportance } from '../evaluation/importance';
import { keysOf } from '../evaluation/scored-holdout';
import type { Scores } from '../evaluation/scores';
import { decide } from '../gate';
import { FEWEST_SAMPLES } from '../importance/fewest-samples';
import { ScoreReader, type ScoreUris } from '../score-reader';
import { LeakageCheck } from './leakage';
import { reportOf } from './report';
import type { GateReport } from './types';

const NO_ROWS =
  `no rows were permuted when the data were prepared: with so many features fewer than ${FEWEST_SAMPLES} rows of each could be scored ` +
  'within maximumRows, or the preparation was not this release\'s';

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

type Judges = Pick<PipelineSpec, 'gate' | 'task' | 'importance'>;

/** Reads all that the gate looks at, judges the candidate, and tells everything that was found. */
export const judgeCandidate = async (files: S3Files, request: JudgeRequest, spec: Judges): Promise<GateReport> => {
  const { gate, task } = spec;
  const { model, runId, prepared, trainingStatus, modelUri, scoringMilliseconds } = request;
  const { champion, round, holdoutUri } = prepared;
  const leaks = new LeakageCheck(files);
  const manifest = await leaks.manifest(prepared.manifestUri);
  const championManifest = champion.manifestUri ? await leaks.manifest(champion.manifestUri) : undefined;
  const lists = [manifest, championManifest].flatMap((one) => (one?.rowKeys ? [one.rowKeys.columns] : []));
  const reader = new ScoreReader(files, task);
  const holdout = await reader.read(prepared, trainingStatus, {
    championPresent: champion.present,
    groupColumns: [...new Set(gate.groups.map(({ column }) => column))],
    keyColumns: [...new Map(lists.map((columns) => [keysOf(columns), columns])).values()],
  });
  const archive = modelUri === undefined ? undefined : await files.head(modelUri);
  const permuted = await permutedScores(reader, prepared.candidateScoresUri, spec, manifest);
  const evidence = {
    leakage: {
      candidate: await leaks.check(manifest, holdout),
      champion: champion.present ? await leaks.check(championManifest, holdout) : { status: 'no-model' as const },
    },
    ...(scoringMilliseconds !== undefined && { scoringMilliseconds }),
    ...('why' in permuted || permuted.scores.count === 0 ? {} : { permutedRows: permuted.scores.count }),
    ...(archive && { modelBytes: archive.bytes }),
  };
  const judged = figuresOfHoldout(holdout);
  const decision = decide(gate, holdout, evidence, seedOf(runId), judged);
  const evaluation = evaluate(holdout, gate.metric, judged);
  const importance = 'why' in permuted ? permuted : importanceOf(holdout, gate.metric, permuted.ref, permuted.scores);
  const about = { model, runId, round, championVersion: champion.version, holdoutUri };
  return reportOf({ about, task, gate, holdout, evidence, decision, evaluation, importance });
};

/** The rows that were permuted for the run with what the candidate answered, or why there is nothing of it. */
const permutedScores = async (
  reader: ScoreReader,
  scoresUri: string,
  spec: Judges,
  manifest: DataManifest | undefined,
): Promise<{ readonly ref: PermutedRowsRef; readonly scores: Scores } | NoImportance> => {
  if (!spec.importance) return { why: 'it is switched off for the model: PermutationImportance.off()' };
  const ref = manifest?.permuted;
  if (!ref) return { why: NO_ROWS };
  const scores = await reader.readPermuted(scoresUri, ref);
  return 'why' in scores ? scores : { ref, scores };
};

const seedOf = (runId: string): number => createHash('sha256').update(runId).digest().readUInt32BE(0);
