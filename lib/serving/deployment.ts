import { Duration, Token } from 'aws-cdk-lib';
import { Validator } from '../common/validation';
import { DeploymentSpec, deploymentTimeoutSeconds, LONGEST_EXECUTION_SECONDS, ServingSpec } from './contract';
import { SmokeRequests } from './smoke-requests';

/** What every way to deploy has in common. */
export interface DeploymentOptions {
  /**
   * Share of requests that the new version may answer with a status from 500, from 0 to below 1, in any minute of the deployment. Above it traffic
   * goes back.
   *
   * @default 0.05
   */
  readonly maximumErrorShare?: number;

  /**
   * Time in which the new version has to answer nine of ten requests, in any minute of the deployment. Above it traffic goes back.
   *
   * @default - not judged
   */
  readonly maximumLatency?: Duration;

  /**
   * How long after the promotion the same bounds, broken in two of three minutes, roll the version back by themselves: the version before serves
   * again. At most 7 days; `Duration.seconds(0)` never.
   *
   * @default - 1 hour on instances, never on serverless endpoints
   */
  readonly watch?: Duration;

  /**
   * Rows of the holdout that are sent as requests once the endpoint runs the new version, 0 to 100. Its answers have to be the scores that it was
   * judged by; where they are not, the endpoint goes back to the configuration before and the run fails.
   *
   * @default 10
   */
  readonly smokeRows?: number;

  /**
   * Requests of your own that are sent after these rows, with the answers that every version has to give. A wrong answer ends the same way.
   *
   * @default - none
   */
  readonly smokeRequests?: SmokeRequests;
}

/** Options of a deployment that brings up a second fleet. */
export interface BlueGreenDeploymentOptions extends DeploymentOptions {
  /**
   * How long the old fleet stays after all traffic has moved, so that it can go back at once. At most 1 hour; both fleets are billed.
   *
   * @default - 5 minutes on instances; serverless endpoints know no such time
   */
  readonly bake?: Duration;
}

/** Options of a deployment that moves traffic in steps. */
export interface SteppedDeploymentOptions extends BlueGreenDeploymentOptions {
  /**
   * Share of the capacity that a step moves, in percent: 1 to 50 for a canary, 10 to 50 for a linear deployment.
   *
   * @default 10 for a canary, 20 for a linear deployment
   */
  readonly stepPercentage?: number;

  /**
   * Time between two steps, in which the alarms are watched. At most 1 hour.
   *
   * @default Duration.minutes(5)
   */
  readonly wait?: Duration;
}

/** Options of a rolling deployment. */
export interface RollingDeploymentOptions extends DeploymentOptions {
  /**
   * Share of the instances that is replaced at a time, in percent, 5 to 50.
   *
   * @default 25
   */
  readonly batchPercentage?: number;

  /**
   * Time after each batch, in which the alarms are watched. At most 1 hour.
   *
   * @default Duration.minutes(5)
   */
  readonly wait?: Duration;
}

const HOUR = 3_600;
const WEEK = 7 * 24 * HOUR;

/**
 * How traffic moves to a new version, and what moves it back. Alarms on the new version's own requests are made for each deployment; the first
 * version of a model has nothing to go back to and is proven by the requests alone.
 */
export class Deployment {
  /** A second fleet takes all traffic at once. The only way on serverless endpoints. */
  public static allAtOnce(options: BlueGreenDeploymentOptions = {}): Deployment {
    return new Deployment('ALL_AT_ONCE', options, { bake: options.bake });
  }

  /** A second fleet takes a small share of the traffic first, then all of it. */
  public static canary(options: SteppedDeploymentOptions = {}): Deployment {
    return new Deployment('CANARY', options, { step: options.stepPercentage ?? 10, wait: options.wait, bake: options.bake, range: [1, 50] });
  }

  /** A second fleet takes the traffic in equal steps. */
  public static linear(options: SteppedDeploymentOptions = {}): Deployment {
    return new Deployment('LINEAR', options, { step: options.stepPercentage ?? 20, wait: options.wait, bake: options.bake, range: [10, 50] });
  }

  /** Instances are replaced batch by batch, so that no second fleet is needed: for large fleets and scarce instance types. */
  public static rolling(options: RollingDeploymentOptions = {}): Deployment {
    return new Deployment('ROLLING', options, { step: options.batchPercentage ?? 25, wait: options.wait, range: [5, 50] });
  }

  private constructor(
    private readonly strategy: DeploymentSpec['strategy'],
    private readonly options: DeploymentOptions,
    private readonly traffic: {
      readonly step?: number;
      readonly wait?: Duration;
      readonly bake?: Duration;
      readonly range?: readonly [minimum: number, maximum: number];
    },
  ) {}

  /** @internal */
  public get _smokeRequests(): SmokeRequests | undefined {
    return this.options.smokeRequests;
  }

  /**
   * The deployment of an endpoint of that kind; problems go to the validator.
   *
   * @internal
   */
  public _toSpec(kind: ServingSpec['kind'], validator: Validator): DeploymentSpec {
    const { maximumErrorShare = 0.05, maximumLatency, smokeRows = 10, smokeRequests } = this.options;
    const instances = kind === 'REAL_TIME';
    const { step, range } = this.traffic;
    const wait = range && (this.traffic.wait ?? Duration.minutes(5));
    const bake = this.traffic.bake ?? (instances && this.strategy !== 'ROLLING' ? Duration.minutes(5) : Duration.seconds(0));
    const watch = this.options.watch ?? (instances ? Duration.hours(1) : Duration.seconds(0));
    if (range) validator.range('deployment, share of a step', step, range[0], range[1], 'SageMaker moves no other shares at a time');
    validator
      .add(smokeRequests?._problems ?? [])
      .range('deployment.wait', wait?.toSeconds(), 0, HOUR, 'SageMaker waits for at most an hour between steps')
      .range('deployment.bake', bake.toSeconds(), 0, HOUR, 'SageMaker keeps the old fleet for at most an hour')
      .range('deployment.watch', watch.toSeconds(), 0, WEEK, 'count in days, at most 7')
      .range('deployment.smokeRows', smokeRows, 0, 100, 'choose a whole number in that range')
      .check(isShare(maximumErrorShare), {
        rule: 'the share of failed requests above which traffic goes back must be from 0 to below 1',
        place: 'deployment.maximumErrorShare',
        got: String(maximumErrorShare),
        fix: 'state it as a share, e.g. 0.05 for 5 percent',
      })
      .check(Token.isUnresolved(smokeRows) || Number.isInteger(smokeRows), {
        rule: 'rows are counted in whole numbers',
        place: 'deployment.smokeRows',
        got: String(smokeRows),
        fix: 'choose a whole number from 0 to 100',
      })
      .check(instances || (this.strategy === 'ALL_AT_ONCE' && bake.toSeconds() === 0), {
        rule: 'SageMaker updates serverless endpoints all at once and keeps no old fleet',
        place: 'deployment',
        fix: 'use Deployment.allAtOnce() without bake, or Serving.realTime()',
      });
    const spec: DeploymentSpec = {
      strategy: this.strategy,
      ...(step !== undefined && { stepPercentage: step }),
      ...(wait && { waitSeconds: wait.toSeconds() }),
      bakeSeconds: bake.toSeconds(),
      maximumErrorShare,
      ...(maximumLatency && { maximumLatencyMicroseconds: maximumLatency.toMilliseconds() * 1000 }),
      watchSeconds: watch.toSeconds(),
      smokeRows,
    };
    const seconds = deploymentTimeoutSeconds(spec);
    validator.check(seconds <= LONGEST_EXECUTION_SECONDS, {
      rule: 'SageMaker gives a deployment up after 8 hours, and half an hour of them is for bringing up the fleet',
      place: 'deployment',
      got: `${Math.ceil(seconds / 60)} minutes with all waits`,
      fix: 'take larger steps, or shorter waits',
    });
    return spec;
  }
}

const isShare = (value: number): boolean => Token.isUnresolved(value) || (value >= 0 && value < 1);
