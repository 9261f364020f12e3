import { Duration, Size } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';

/** What training and processing jobs have in common: machines, time and network. */
export interface JobOptions {
  /**
   * Instance type as SageMaker names it.
   *
   * @default 'ml.m5.large'
   */
  readonly instanceType?: string;

  /**
   * Instances that work together, 1 to 100. The code has to know how to divide the work: SageMaker tells it of the others in `resourceconfig.json`.
   *
   * @default 1
   */
  readonly instanceCount?: number;

  /**
   * Disk of each instance, in whole GiB.
   *
   * @default Size.gibibytes(30)
   */
  readonly volumeSize?: Size;

  /**
   * Key that encrypts the disks. Instance types with NVMe disks encrypt those in hardware and take no key: synth refuses them.
   *
   * @default - SageMaker's own key
   */
  readonly volumeKey?: kms.IKey;

  /**
   * Longest time the code may run, from a minute to 28 days; SageMaker stops it then and the run fails. Whole seconds.
   *
   * @default Duration.hours(1)
   */
  readonly maxRuntime?: Duration;

  /**
   * Variables of the container: at most 48, their values at most 512 characters. They stand in plain text in the job's description.
   *
   * @default - none
   */
  readonly environment?: { [name: string]: string };

  /**
   * Whether the container has no network at all. SageMaker itself still brings its data and takes its results.
   *
   * @default false
   */
  readonly networkIsolation?: boolean;

  /**
   * Network that the instances stand in. It needs a way to S3, e.g. a gateway endpoint, also with `networkIsolation`.
   *
   * @default - SageMaker's own
   */
  readonly vpc?: ec2.IVpc;

  /**
   * Subnets of `vpc`, at most 16.
   *
   * @default - private ones
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * Security groups of the instances in `vpc`, at most 5. Instances that work together have to reach each other.
   *
   * @default - a new one whose members reach each other and may call out
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * Whether what instances say to each other is encrypted; slows distributed work down.
   *
   * @default false
   */
  readonly encryptTrafficBetweenInstances?: boolean;
}
