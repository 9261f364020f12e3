import type { CreateEndpointCommandInput, EndpointStatus, VariantStatus } from '@aws-sdk/client-sagemaker';
import { type Context, announce } from './context';
import type { Deployment } from './deployment';
import type { EndpointConfigRecord } from './endpoint-configs';
import type { Fleet, LiveVariant } from './fleet';

/** InService is IN_SERVICE in events. */
const upperSnake = (status: string) => status.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();

const MESSAGES: Partial<Record<VariantStatus, string>> = {
  Creating: 'Creating inference resources for the production variant',
  ActivatingTraffic: 'Turning on traffic for the production variant',
  Baking: 'Waiting while the alarms of the automatic rollback configuration are monitored',
};

interface Phase {
  readonly status: VariantStatus;
  readonly since: Date;
}

/** One endpoint: the fleet that answers, and a second one while a deployment moves traffic to it. */
export class Endpoint {
  readonly created = new Date();
  modified = this.created;
  status: EndpointStatus = 'Creating';
  failureReason?: string;
  live?: Fleet;
  pending?: Fleet;
  pendingShare = 0;
  /** A rolling update takes capacity from the old fleet as it adds to the new one. */
  rolling = false;
  work: Promise<void> = Promise.resolve();
  deployment?: CreateEndpointCommandInput['DeploymentConfig'];
  underWay?: Deployment;
  private phase?: Phase;
  private deploymentStarted?: Date;

  constructor(
    private readonly context: Context,
    readonly name: string,
    readonly arn: string,
    public config: EndpointConfigRecord,
  ) {}

  enter(status: EndpointStatus, reason?: string): void {
    this.status = status;
    this.failureReason = reason;
    this.modified = new Date();
    this.announce('Endpoint');
  }

  begin(fleet: Fleet, rolling: boolean): void {
    this.pending = fleet;
    this.pendingShare = 0;
    this.rolling = rolling;
    this.deploymentStarted = new Date();
    this.phase = undefined;
  }

  /** Where the deployment stands, to those who ask and as an event. */
  say(status: VariantStatus): void {
    this.phase = { status, since: new Date() };
    this.modified = this.phase.since;
    this.announce('Endpoint Deployment');
  }

  settle(): void {
    this.pending = undefined;
    this.pendingShare = 0;
    this.underWay = undefined;
  }

  describe() {
    const capture = this.config.request.DataCaptureConfig;
    return {
      EndpointName: this.name,
      EndpointArn: this.arn,
      EndpointConfigName: this.config.name,
      ProductionVariants: this.live?.variants.map((variant) => ({ ...variant.summary(), ...this.capacity(variant, 1 - this.pendingShare) })),
      DataCaptureConfig: capture && {
        EnableCapture: capture.EnableCapture ?? true,
        CaptureStatus: (capture.EnableCapture ?? true) && this.status !== 'Failed' ? 'Started' : 'Stopped',
        CurrentSamplingPercentage: capture.InitialSamplingPercentage,
        DestinationS3Uri: capture.DestinationS3Uri,
        KmsKeyId: capture.KmsKeyId,
      },
      EndpointStatus: this.status,
      FailureReason: this.failureReason,
      CreationTime: this.created,
      LastModifiedTime: this.modified,
      LastDeploymentConfig: this.deployment,
      PendingDeploymentSummary: this.pending && this.summary(this.pending),
    };
  }

  /** The fleet for one request: atomic, so that a request either goes to the old fleet whole or to the new one. */
  route(target: string | undefined): LiveVariant | undefined {
    const fleet = this.pending && Math.random() < this.pendingShare ? this.pending : this.live;
    return fleet?.route(target);
  }

  private summary(fleet: Fleet) {
    const status = this.phase && { Status: this.phase.status, StatusMessage: MESSAGES[this.phase.status], StartTime: this.phase.since };
    return {
      EndpointConfigName: fleet.config.name,
      ProductionVariants: fleet.variants.map((variant) => ({
        ...variant.summary(),
        ...this.capacity(variant, this.phase?.status === 'Creating' ? 0 : this.pendingShare),
        VariantStatus: status && [status],
      })),
      StartTime: this.deploymentStarted,
    };
  }

  private capacity({ count, maxConcurrency }: LiveVariant, share: number) {
    if (!this.rolling || !this.pending || maxConcurrency !== undefined || count === undefined) return {};
    return { CurrentInstanceCount: Math.round(count * share) };
  }

  private announce(what: string): void {
    const detail = { ...this.describe(), EndpointStatus: upperSnake(this.status), Tags: this.context.tags.asObject(this.arn) };
    announce(this.context, what, detail, this.arn);
  }
}
