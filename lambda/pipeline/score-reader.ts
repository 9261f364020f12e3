import { PIPELINE_ERRORS, type PipelineSpec } from '../../lib/pipeline/contract';
import { NamedError } from '../common/errors';
import type { S3Files } from '../common/s3.client';
import { ScoresClient } from '../monitoring/scores.client';
import { readPrediction, readTruth } from '../monitoring/task-metrics';
import { readTime } from '../monitoring/values';
import type { ScoredHoldout } from './gate';

type Value = number | string;

export interface ScoreUris {
  readonly holdoutUri: string;
  readonly candidateScoresUri: string;
  readonly championScoresUri: string;
}

const incomplete = (message: string, cause?: unknown): NamedError => new NamedError(PIPELINE_ERRORS.gateIncomplete, message, { cause });

/** Brings the truth and the scores of both models together, row by row; fails closed where a figure is missing or unreadable. */
export class ScoreReader {
  private readonly client: ScoresClient;

  constructor(
    files: S3Files,
    private readonly task: PipelineSpec['task'],
  ) {
    this.client = new ScoresClient(files);
  }

  async read(uris: ScoreUris, trainingStatus: string, championPresent: boolean): Promise<ScoredHoldout> {
    // A job that was stopped leaves a model too, of a training that did not end.
    if (trainingStatus !== 'Completed') throw incomplete(`the training job ended as ${trainingStatus}: its model is not judged`);
    const { truth, days } = await this.readTruth(uris.holdoutUri);
    const candidate = await this.readScores(uris.candidateScoresUri, 'candidate');
    const champion = championPresent ? await this.readScores(uris.championScoresUri, 'champion') : undefined;
    return { truth, candidate, ...(champion && { champion }), ...(days && { days }) };
  }

  private async readTruth(uri: string): Promise<{ truth: Value[]; days?: string[] }> {
    const { target, timeColumn } = this.task;
    const truth: Value[] = [];
    const days: string[] = [];
    let columns: readonly string[] | undefined;
    for await (const row of this.client.csvRows(uri)) {
      if (!columns) {
        columns = row;
        continue;
      }
      const value = readTruth(this.task, row[columns.indexOf(target)]);
      if (value === undefined) throw incomplete(`the target of holdout row ${truth.length + 1} cannot be read: ${uri}`);
      truth.push(value);
      const time = timeColumn === undefined ? undefined : readTime(row[columns.indexOf(timeColumn)]);
      if (time !== undefined) days.push(new Date(time).toISOString().slice(0, 10));
    }
    return days.length === truth.length ? { truth, days } : { truth };
  }

  private async readScores(uri: string, whose: string): Promise<Value[]> {
    const scores: Value[] = [];
    try {
      for await (const cell of this.client.scores(uri)) {
        const value = readPrediction(this.task, cell);
        if (value === undefined) throw incomplete(`score ${scores.length + 1} of the ${whose} is not what a ${this.task.kind} model answers: ${uri}`);
        scores.push(value);
      }
    } catch (error) {
      // What S3 itself answers may pass, and is worth another try of the step.
      if (error instanceof NamedError || '$metadata' in (error as object)) throw error;
      throw incomplete(`the scores of the ${whose} cannot be read: ${(error as Error).message}`, error);
    }
    return scores;
  }
}
