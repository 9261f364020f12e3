import type { PermutedRowsRef } from '../../lib/artifacts/contract';
import type { PipelineSpec } from '../../lib/pipeline/contract';
import { NamedError } from '../common/errors';
import type { S3Files } from '../common/s3.client';
import { readTable } from '../monitoring/baseline/table';
import { BaselineClient } from '../monitoring/baseline.client';
import { scoreObjectsAt } from '../monitoring/objects-at';
import type { NoImportance } from './evaluation/importance';
import { HoldoutBuilder, incomplete, type ScoredHoldout } from './evaluation/scored-holdout';
import { Scores } from './evaluation/scores';

export interface ScoreUris {
  readonly holdoutUri: string;
  readonly candidateScoresUri: string;
  readonly championScoresUri: string;
}

export interface ScoreOptions {
  readonly championPresent: boolean;
  readonly groupColumns?: readonly string[];
  readonly keyColumns?: readonly (readonly string[])[];
}

/** Brings the truth and the scores of both models together, row by row; fails closed where a figure is missing or unreadable. */
export class ScoreReader {
  constructor(
    private readonly files: S3Files,
    private readonly task: PipelineSpec['task'],
  ) {}

  async read(uris: ScoreUris, trainingStatus: string, options: ScoreOptions): Promise<ScoredHoldout> {
    // A job that was stopped leaves a model too, of a training that did not end.
    if (trainingStatus !== 'Completed') throw incomplete(`the training job ended as ${trainingStatus}: its model is not judged`);
    const { championPresent, groupColumns = [], keyColumns = [] } = options;
    const candidate = await this.readScores(uris.candidateScoresUri, 'candidate');
    const champion = championPresent ? await this.readScores(uris.championScoresUri, 'champion') : undefined;
    let builder: HoldoutBuilder | undefined;
    await closed('the holdout cannot be read', async () => {
      const source = await new BaselineClient(this.files).table(uris.holdoutUri);
      await readTable(source, (columns) => {
        builder = new HoldoutBuilder({ task: this.task, groupColumns, keyColumns, candidate, champion }, columns);
        return builder;
      });
    });
    if (!builder) throw incomplete(`the holdout holds no row: ${uris.holdoutUri}`);
    return builder.result();
  }

  /** What the candidate answered to permuted rows, or why that cannot be told: no rule looks at it. */
  async readPermuted(uri: string, ref: PermutedRowsRef): Promise<Scores | NoImportance> {
    const { permuted } = await scoreObjectsAt(this.files, uri);
    if (permuted.length === 0) return { why: 'the job that scored the holdout did not score the permuted rows' };
    const scores = new Scores(this.task);
    const refuse = (number: number): never => {
      throw incomplete(`score ${number} of the permuted rows is not what a ${this.task.kind} model answers: ${ref.uri}`);
    };
    try {
      for (const object of permuted) await scores.read(await this.files.readStream(object), refuse);
    } catch (error) {
      if (error instanceof NamedError) return { why: error.message };
      throw error;
    }
    return scores;
  }

  private async readScores(uri: string, whose: string): Promise<Scores> {
    const scores = new Scores(this.task);
    const refuse = (number: number): never => {
      throw incomplete(`score ${number} of the ${whose} is not what a ${this.task.kind} model answers: ${uri}`);
    };
    await closed(`the scores of the ${whose} cannot be read`, async () => {
      for (const object of (await scoreObjectsAt(this.files, uri)).holdout) await scores.read(await this.files.readStream(object), refuse);
    });
    return scores;
  }
}

/** What S3 itself answers may pass, and is worth another try of the step; all else leaves the gate without a figure. */
const closed = async (what: string, read: () => Promise<void>): Promise<void> => {
  try {
    await read();
  } catch (error) {
    if (error instanceof NamedError || '$metadata' in (error as object)) throw error;
    throw incomplete(`${what}: ${(error as Error).message}`, error);
  }
};
