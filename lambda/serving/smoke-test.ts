import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Files } from '../common/s3.client';
import { ScoresClient } from '../monitoring/scores.client';
import type { InvokeClient, Prediction } from './invoke.client';

/** Rows of a run's holdout and the scores that its candidate was judged by. */
export interface SmokeSource {
  readonly holdoutFeaturesUri: string;
  readonly candidateScoresUri: string;
}

/**
 * How far an answer may be from the score of the same row, relative to the score (or 1 where that is smaller): the order in which a container adds up
 * may differ between one row and a batch, nothing else.
 */
export const SMOKE_TOLERANCE = 1e-5;

/** Marks the requests where they are captured. */
export const SMOKE_ATTRIBUTES = 'mlops-smoke-request';

const ATTEMPTS = 3;
const PAUSE_MILLISECONDS = 2_000;

/** Asks a live endpoint for rows whose answers are known. */
export class SmokeTest {
  private readonly scores: ScoresClient;

  constructor(
    private readonly files: S3Files,
    private readonly client: Pick<InvokeClient, 'invoke'>,
    private readonly pauseMilliseconds = PAUSE_MILLISECONDS,
  ) {
    this.scores = new ScoresClient(files);
  }

  /** First thing that is not as it should be, with row, expected and got; undefined where all answers are right. */
  async problem(endpointName: string, version: number, rows: number, source: SmokeSource): Promise<string | undefined> {
    const requests = await first(rows, nonEmpty(this.files.readLines(source.holdoutFeaturesUri)));
    const expected = await first(rows, this.scores.scores(source.candidateScoresUri));
    for (const [index, line] of requests.entries()) {
      if (index >= expected.length) return `holdout row ${index + 1} has no score that its answer could be compared with`;
      const told = `holdout row ${index + 1}: expected ${expected[index]}, got`;
      const answer = await this.ask(endpointName, line, `smoke-v${version}-${index + 1}`);
      const got = Buffer.from(answer.body).toString('utf8').trim();
      if (answer.statusCode < 200 || answer.statusCode > 299) return `${told} status ${answer.statusCode} (${shown(got)})`;
      if (!agrees(String(expected[index]), scoreIn(got))) return `${told} ${shown(got)}`;
    }
    return undefined;
  }

  /** What passes by itself (a container that wakes up, capacity) is asked again. */
  private async ask(endpointName: string, line: string, inferenceId: string): Promise<Prediction> {
    const body = Buffer.from(`${line}\n`);
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.client.invoke({ endpointName, body, contentType: 'text/csv', inferenceId, customAttributes: SMOKE_ATTRIBUTES });
      if (attempt === ATTEMPTS || !(answer.statusCode === 429 || answer.statusCode >= 500)) return answer;
      await sleep(this.pauseMilliseconds);
    }
  }
}

const agrees = (expected: string, got: string): boolean => {
  const [want, have] = [Number(expected), Number(got)];
  if (expected.trim() === '' || Number.isNaN(want) || Number.isNaN(have)) return expected.trim() === got;
  return Math.abs(want - have) <= SMOKE_TOLERANCE * Math.max(1, Math.abs(want));
};

/** The same part of an answer that the scores of a batch transform are read from. */
const scoreIn = (body: string): string => {
  if (!/^\s*[[{]/.test(body)) return body.split('\n')[0].split(',')[0].trim();
  try {
    let value: unknown = JSON.parse(body);
    while (Array.isArray(value)) value = value[0];
    if (typeof value !== 'object' || value === null) return String(value);
    const { score, prediction } = value as Record<string, unknown>;
    return String(score ?? prediction);
  } catch {
    return body;
  }
};

const shown = (text: string): string => (text.length <= 200 ? text : `${text.slice(0, 200)}…`);

const nonEmpty = async function* (lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) if (line.trim() !== '') yield line;
};

const first = async <T>(count: number, values: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  if (count === 0) return found;
  for await (const value of values) {
    found.push(value);
    if (found.length >= count) break;
  }
  return found;
};
