import type { PipelineSpec } from '../../lib/pipeline/contract';
import { NamedError } from '../common/errors';
import type { S3Files } from '../common/s3.client';
import { readTable } from '../monitoring/baseline/table';
import { BaselineClient } from '../monitoring/baseline.client';
import { objectsAt } from '../monitoring/objects-at';
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

  private async readScores(uri: string, whose: string): Promise<Scores> {
    const scores = new Scores(this.task);
    const refuse = (number: number): never => {
      throw incomplete(`score ${number} of the ${whose} is not what a ${this.task.kind} model answers: ${uri}`);
    };
    await closed(`the scores of the ${whose} cannot be read`, async () => {
      const objects = (await objectsAt(this.files, uri)).filter((object) => object.endsWith('.out'));
      if (objects.length === 0) throw new Error(`no .out object lies below ${uri}: the batch transform left no scores`);
      for (const object of objects) await scores.read(await this.files.readStream(object), refuse);
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
