import { Size, Token } from 'aws-cdk-lib';
import { Validator } from '../common/validation';
import { ServingSpec } from './contract';
import { Deployment } from './deployment';
import { SmokeRequests } from './smoke-requests';

/** Options of a serverless endpoint. */
export interface ServerlessServingOptions {
  /**
   * Memory of one concurrent invocation: 1 to 6 GiB in whole steps. CPU grows with it.
   *
   * @default Size.gibibytes(2)
   */
  readonly memory?: Size;

  /**
   * Requests served at the same time, 1 to 200; further ones are answered with status 429.
   *
   * @default 5
   */
  readonly maxConcurrency?: number;

  /**
   * What proves a new version, and what brings the version before back. Only `Deployment.allAtOnce()` without `bake`.
   *
   * @default Deployment.allAtOnce()
   */
  readonly deployment?: Deployment;
}

/** Options of an endpoint on instances. */
export interface RealTimeServingOptions {
  /** Instance type as SageMaker names it, e.g. `ml.m5.large`. */
  readonly instanceType: string;

  /**
   * Instances that the endpoint starts with. Later releases keep the count that scaling has given it.
   *
   * @default 1
   */
  readonly initialInstanceCount?: number;

  /**
   * Share of requests that SageMaker records for monitoring, in percent, 1 to 100.
   *
   * @default 100
   */
  readonly captureSamplingPercentage?: number;

  /**
   * How traffic moves to a new version, and what moves it back.
   *
   * @default Deployment.allAtOnce()
   */
  readonly deployment?: Deployment;
}

/** How predictions are made: without servers, or on instances. The pipeline makes the endpoint when the first version is approved. */
export class Serving {
  /**
   * Billed per request and idle for nothing. Requests go through a function that records each of them, since SageMaker records
   * none of a serverless endpoint. SageMaker does not turn an endpoint on instances into a serverless one: delete the endpoint first.
   *
   * Fails at synth if memory is not 1, 2, 3, 4, 5 or 6 GiB, maxConcurrency is not a whole number from 1 to 200, or SageMaker does not know the
   * deployment on serverless endpoints.
   */
  public static serverless(options: ServerlessServingOptions = {}): Serving {
    const memory = (options.memory ?? Size.gibibytes(2)).toMebibytes();
    const maxConcurrency = options.maxConcurrency ?? 5;
    const validator = new Validator('Serving.serverless');
    const chosen = options.deployment ?? Deployment.allAtOnce();
    const deployment = chosen._toSpec('SERVERLESS', validator);
    validator
      .check(Token.isUnresolved(memory) || (memory % 1024 === 0 && memory >= 1024 && memory <= 6144), {
        rule: 'SageMaker gives serverless endpoints 1024 to 6144 MB of memory in steps of 1024',
        place: 'memory',
        got: `${memory} MB`,
        fix: 'use Size.gibibytes(1) to Size.gibibytes(6)',
      })
      .check(isWhole(maxConcurrency, 1, 200), {
        rule: 'SageMaker lets a serverless endpoint serve 1 to 200 requests at the same time',
        place: 'maxConcurrency',
        got: String(maxConcurrency),
        fix: 'choose a whole number in that range, or Serving.realTime() for more',
      })
      .throwIfAny();
    const spec = { kind: 'SERVERLESS' as const, memorySizeInMb: memory, maxConcurrency, captureSamplingPercentage: 100, deployment };
    return new Serving(spec, chosen._smokeRequests);
  }

  /**
   * Always on, billed by the hour. SageMaker itself records the requests, so clients call the endpoint directly.
   *
   * Fails at synth if instanceType does not begin with `ml.`, a number is out of range, or SageMaker would refuse the deployment.
   */
  public static realTime(options: RealTimeServingOptions): Serving {
    const initialInstanceCount = options.initialInstanceCount ?? 1;
    const captureSamplingPercentage = options.captureSamplingPercentage ?? 100;
    const validator = new Validator('Serving.realTime');
    const chosen = options.deployment ?? Deployment.allAtOnce();
    const deployment = chosen._toSpec('REAL_TIME', validator);
    validator
      .pattern(
        'instanceType',
        options.instanceType,
        /^ml\.[a-z0-9-]+\.[a-z0-9]+$/,
        'SageMaker runs endpoints on instance types whose names begin with ml.',
        "write it as SageMaker does, e.g. 'ml.m5.large'",
      )
      .check(isWhole(initialInstanceCount, 1, Infinity), {
        rule: 'an endpoint starts with at least one instance',
        place: 'initialInstanceCount',
        got: String(initialInstanceCount),
        fix: 'choose a whole number from 1',
      })
      .check(isWhole(captureSamplingPercentage, 1, 100), {
        rule: 'data capture samples 1 to 100 percent of the requests, and what is not recorded is not monitored',
        place: 'captureSamplingPercentage',
        got: String(captureSamplingPercentage),
        fix: 'choose a whole number in that range',
      })
      .throwIfAny();
    const { instanceType } = options;
    const spec = { kind: 'REAL_TIME' as const, instanceType, initialInstanceCount, captureSamplingPercentage, deployment };
    return new Serving(spec, chosen._smokeRequests);
  }

  /** @internal */
  public readonly _smokeRequests?: SmokeRequests;

  private constructor(
    private readonly spec: Omit<ServingSpec, 'model' | 'endpointName' | 'captureUri' | 'kmsKeyArn'>,
    smokeRequests?: SmokeRequests,
  ) {
    this._smokeRequests = smokeRequests;
  }

  /** @internal */
  public _toSpec(): Omit<ServingSpec, 'model' | 'endpointName' | 'captureUri' | 'kmsKeyArn'> {
    return this.spec;
  }
}

const isWhole = (value: number, minimum: number, maximum: number): boolean =>
  Token.isUnresolved(value) || (Number.isInteger(value) && value >= minimum && value <= maximum);
