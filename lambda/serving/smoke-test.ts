import { setTimeout as sleep } from 'node:timers/promises';
import { SMOKE_ATTRIBUTES, smokeInferenceId, type SmokeRequestSpec } from '../../lib/serving/contract';
import type { S3Files } from '../common/s3.client';
import { ScoresClient } from '../monitoring/scores.client';
import type { InvokeClient, Prediction } from './invoke.client';
import { agrees, bodyOf, differenceOf, parseRequests, scoreIn, shown } from './smoke-requests';

/** Rows of a run's holdout and the scores that its candidate was judged by. */
export interface SmokeSource {
  readonly holdoutFeaturesUri: string;
  readonly candidateScoresUri: string;
}

interface Request {
  readonly id: string;
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly accept?: string;
}

const ATTEMPTS = 3;
const PAUSE_MILLISECONDS = 2_000;

/** Asks a live endpoint for answers that are known. */
export class SmokeTest {
  private readonly scores: ScoresClient;

  constructor(
    private readonly files: S3Files,
    private readonly client: Pick<InvokeClient, 'invoke'>,
    private readonly pauseMilliseconds = PAUSE_MILLISECONDS,
  ) {
    this.scores = new ScoresClient(files);
  }

  /** First row that is not answered as it should be, with row, expected and got; undefined where all answers are right. */
  async problem(endpointName: string, version: number, rows: number, source: SmokeSource): Promise<string | undefined> {
    const lines = await first(rows, nonEmpty(this.files.readLines(source.holdoutFeaturesUri)));
    const expected = await first(rows, this.scores.scores(source.candidateScoresUri));
    for (const [index, line] of lines.entries()) {
      if (index >= expected.length) return `holdout row ${index + 1} has no score that its answer could be compared with`;
      const told = `holdout row ${index + 1}: expected ${expected[index]}, got`;
      const id = smokeInferenceId(version, String(index + 1));
      const answer = await this.ask(endpointName, { id, body: Buffer.from(`${line}\n`), contentType: 'text/csv' });
      const got = textOf(answer);
      if (isRefused(answer)) return `${told} status ${answer.statusCode} (${shown(got)})`;
      if (!agrees(String(expected[index]), scoreIn(got))) return `${told} ${shown(got)}`;
    }
    return undefined;
  }

  /** The requests that the app states. */
  async requests(uri: string): Promise<SmokeRequestSpec[]> {
    return parseRequests(await this.files.readText(uri));
  }

  /** First request that is not answered as stated, with its name, expected and got; its body is never told. */
  async problemOf(endpointName: string, version: number, requests: readonly SmokeRequestSpec[]): Promise<string | undefined> {
    for (const request of requests) {
      const { name, contentType, accept, expected } = request;
      const answer = await this.ask(endpointName, { id: smokeInferenceId(version, name), body: bodyOf(request), contentType, accept });
      const got = textOf(answer);
      if (isRefused(answer)) return `request ${name}: expected ${shown(expected, 70)}, got status ${answer.statusCode} (${shown(got, 70)})`;
      const difference = differenceOf(request, got);
      if (difference !== undefined) return `request ${name}: ${difference}`;
    }
    return undefined;
  }

  /** What passes by itself (a container that wakes up, capacity) is asked again. */
  private async ask(endpointName: string, { id: inferenceId, ...request }: Request): Promise<Prediction> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.client.invoke({ endpointName, ...request, inferenceId, customAttributes: SMOKE_ATTRIBUTES });
      if (attempt === ATTEMPTS || !(answer.statusCode === 429 || answer.statusCode >= 500)) return answer;
      await sleep(this.pauseMilliseconds);
    }
  }
}

const textOf = ({ body }: Prediction): string => Buffer.from(body).toString('utf8').trim();

const isRefused = ({ statusCode }: Prediction): boolean => statusCode < 200 || statusCode > 299;

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
