import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { Token } from 'aws-cdk-lib';
import * as s3assets from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { stageFile } from '../common/stage-file';
import { Problem } from '../common/validation';
import { SmokeRequestSpec } from './contract';
import { checkedRequests } from './smoke-rules';

/** A request with the answer that every version of a model has to give. */
export interface SmokeRequest {
  /** Names the request in messages and in its inference id: a letter, then letters, digits and hyphens, at most 32 in all. */
  readonly name: string;

  /** What is sent. It is kept in the deployment's assets: state no personal data. */
  readonly body: string;

  /**
   * Whether `body` is base64 of what is sent, for what is no text.
   *
   * @default false
   */
  readonly base64?: boolean;

  /**
   * MIME type of the body.
   *
   * @default 'text/csv'
   */
  readonly contentType?: string;

  /**
   * MIME type that is asked for.
   *
   * @default - what the model's container answers by itself
   */
  readonly accept?: string;

  /**
   * The answer. A JSON list or object is compared value by value; what it does not name is not looked at. A single number or word is compared with
   * the prediction in the answer, CSV with all of its lines.
   */
  readonly expected: string;

  /**
   * Largest distance of a number in the answer from the expected one, in the number's own unit, from 0. Another version answers otherwise, so state
   * what any good one must not exceed.
   *
   * @default - 0.00001 of the expected number, or 0.00001 where it is smaller than 1
   */
  readonly tolerance?: number;
}

/**
 * Requests that every version has to answer as stated before it is promoted, besides rows of its own holdout. A wrong answer moves the endpoint back
 * and fails the release.
 */
export class SmokeRequests {
  /** Requests that stand in the app, 1 to 50. What is wrong with them is told where the deployment is used. */
  public static inline(requests: SmokeRequest[]): SmokeRequests {
    return new SmokeRequests('deployment.smokeRequests', () => requests);
  }

  /**
   * A JSON file with a list of 1 to 50 requests; the fields are those of `SmokeRequest`, and `body` and `expected` may be any JSON. A body that is no
   * text is sent as `application/json`.
   *
   * @param path relative to the directory that the app is run in, or absolute
   */
  public static fromFile(path: string): SmokeRequests {
    return new SmokeRequests(`deployment.smokeRequests, file '${path}'`, () => JSON.parse(fs.readFileSync(path, 'utf8')) as unknown);
  }

  private readonly checked: { readonly requests: readonly SmokeRequestSpec[]; readonly problems: readonly Problem[] };

  private constructor(place: string, read: () => unknown) {
    this.checked = readAt(place, read);
  }

  /**
   * What is wrong with them.
   *
   * @internal
   */
  public get _problems(): readonly Problem[] {
    return this.checked.problems;
  }

  /**
   * Puts them where the release reads them.
   *
   * @internal
   */
  public _stage(scope: Construct): s3assets.Asset {
    const bytes = JSON.stringify(this.checked.requests);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return stageFile(scope, 'SmokeRequests', { name: 'smoke-requests.json', bytes, sha256 });
  }
}

const readAt = (place: string, read: () => unknown): { readonly requests: readonly SmokeRequestSpec[]; readonly problems: readonly Problem[] } => {
  let given: unknown;
  try {
    given = read();
  } catch (error) {
    const problem = { rule: 'the file cannot be read as JSON', place, got: (error as Error).message, fix: 'write a list of requests into it' };
    return { requests: [], problems: [problem] };
  }
  if (Token.isUnresolved(given)) {
    const problem = { rule: 'requests have to be known at synth', place, fix: 'state them without references to resources' };
    return { requests: [], problems: [problem] };
  }
  return checkedRequests(place, given);
};
