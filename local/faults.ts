import { LocalError } from './errors';

/** What goes wrong: see docs/local-engine.md, "Faults". */
export interface FaultEffect {
  readonly kind: 'error' | 'timeout' | 'interrupt-spot' | 'stop' | 'kill' | 'fail';
  /** `error`: its name as the API has it (ThrottlingException, ResourceLimitExceeded, InternalFailure) or a function's own. */
  readonly error?: string;
  readonly message?: string;
  /** `error`: HTTP status, 400 by default. On a function it makes Lambda itself refuse; without it the function throws. */
  readonly status?: number;
  /** On jobs, deployments and `kill` of a function: real seconds after the work began. 0 by default. */
  readonly afterSeconds?: number;
  /** On training jobs: counted from the first checkpoint that is sent, instead of from the beginning; without one it never strikes. */
  readonly afterCheckpoint?: boolean;
  /** On functions: it does its work first, and only its answer is lost. */
  readonly afterRun?: boolean;
}

export interface FaultRule {
  readonly on: 'sagemaker' | 'lambda';
  /** Operation of SageMaker or InvokeEndpoint; on lambda a part of the function's name. */
  readonly operation: string;
  /** Part of a name in the request (job, endpoint, configuration); on lambda a part of the event's JSON. */
  readonly nameContains?: string;
  /** So many matching calls pass first. */
  readonly skip?: number;
  /** How often it strikes: once by default, 0 for always. */
  readonly times?: number;
  readonly effect: FaultEffect;
}

export interface Fault extends FaultRule {
  readonly id: string;
  /** Calls that matched, those that were let pass included. */
  readonly seen: number;
  readonly hits: number;
}

/** The fault rules of a running engine; they end with it. */
export class Faults {
  constructor(
    private readonly engine: { readonly endpoint: string; readonly token: string },
  ) {}

  add(rule: FaultRule): Promise<Fault> {
    return this.call<Fault>('POST', '', rule);
  }

  async list(): Promise<Fault[]> {
    return (await this.call<{ faults: Fault[] }>('GET', '')).faults;
  }

  /** Removes one rule or all of them; how many there were. */
  async clear(id?: string): Promise<number> {
    return (await this.call<{ removed: number }>('DELETE', id === undefined ? '' : `/${encodeURIComponent(id)}`)).removed;
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.engine.endpoint}/_mlops/faults${path}`, {
      method,
      headers: { 'content-type': 'application/json', 'x-mlops-engine-token': this.engine.token },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    });
    const answer = (await response.json()) as T & { message?: string };
    if (!response.ok) throw new LocalError(answer.message ?? `the engine answered ${response.status}`);
    return answer;
  }
}
