import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { grantBucketRead, grantBucketWrite } from './bucket-access';
import { ARTIFACTS_ENV } from './contract';
import { StoreBuckets } from './store-buckets';

/** Where the bytes of a platform live. */
export interface ArtifactStoreProps {
  /**
   * Key that encrypts the buckets made here, and what SageMaker writes to any of the buckets. Grants on imported buckets extend to it, beside the
   * key that such a bucket names itself.
   *
   * @default - a new customer managed key that rotates every year
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * Bucket for models, code and what else a run makes.
   *
   * @default - a new bucket
   */
  readonly artifactsBucket?: s3.IBucket;

  /**
   * Bucket for data sets and for the rows that each run used.
   *
   * @default - a new bucket
   */
  readonly dataBucket?: s3.IBucket;

  /**
   * Bucket for recorded requests, their predictions and labels.
   *
   * @default - a new bucket
   */
  readonly predictionsBucket?: s3.IBucket;

  /**
   * Bucket for gate, baseline and monitoring reports.
   *
   * @default - a new bucket
   */
  readonly reportsBucket?: s3.IBucket;

  /**
   * How long recorded requests and labels are kept in a bucket made here, in whole days. Monitoring windows cannot reach further back.
   *
   * @default - forever
   */
  readonly predictionsRetention?: Duration;

  /**
   * How long an object that was overwritten or deleted can be brought back, in whole days.
   *
   * @default Duration.days(90)
   */
  readonly noncurrentVersionRetention?: Duration;

  /**
   * How long the buckets' access logs are kept, in whole days.
   *
   * @default Duration.days(365)
   */
  readonly accessLogRetention?: Duration;

  /**
   * Whether the buckets made here tell Amazon EventBridge about every object change.
   *
   * @default false
   */
  readonly eventBridgeEnabled?: boolean;

  /**
   * What happens to buckets and key when they leave the stack. A bucket that still holds objects is never deleted.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * Buckets for artifacts, data, predictions and reports: encrypted with one key, versioned, TLS only, never public, with access logs.
 *
 * Grants are scoped to a prefix, never include deletion, and give a function the environment variable that names the bucket.
 */
export class ArtifactStore extends Construct {
  /** Models, code and what else a run makes. */
  public readonly artifacts: s3.IBucket;
  /** Data sets and the rows that each run used. */
  public readonly data: s3.IBucket;
  /** Recorded requests, their predictions and labels. */
  public readonly predictions: s3.IBucket;
  /** Gate, baseline and monitoring reports. */
  public readonly reports: s3.IBucket;
  /** Key of the buckets made here, and of what SageMaker writes to any of the buckets. */
  public readonly encryptionKey: kms.IKey;

  /** Fails at synth if a retention is not between 1 and 36500 days. */
  constructor(scope: Construct, id: string, props: ArtifactStoreProps = {}) {
    super(scope, id);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.encryptionKey =
      props.encryptionKey ??
      new kms.Key(this, 'Key', { description: `Buckets of ${this.node.path}`, enableKeyRotation: true, removalPolicy });
    const buckets = new StoreBuckets(this, {
      encryptionKey: this.encryptionKey,
      removalPolicy,
      noncurrentVersionRetention: props.noncurrentVersionRetention ?? Duration.days(90),
      accessLogRetention: props.accessLogRetention ?? Duration.days(365),
      predictionsRetention: props.predictionsRetention,
      eventBridgeEnabled: props.eventBridgeEnabled ?? false,
    });
    this.artifacts = props.artifactsBucket ?? buckets.make('Artifacts');
    this.data = props.dataBucket ?? buckets.make('Data');
    this.predictions = props.predictionsBucket ?? buckets.make('Predictions', { retention: props.predictionsRetention });
    this.reports = props.reportsBucket ?? buckets.make('Reports', { work: true });
  }

  /** Lists and reads artifacts whose keys begin with `prefix` (default: all). */
  public grantReadArtifacts(grantee: iam.IGrantable, prefix?: string): iam.Grant {
    return grantBucketRead(this.access(this.artifacts, ARTIFACTS_ENV.artifactsBucket), grantee, prefix ?? '');
  }

  /** Writes artifacts whose keys begin with `prefix` (default: all). */
  public grantWriteArtifacts(grantee: iam.IGrantable, prefix?: string): iam.Grant {
    return grantBucketWrite(this.access(this.artifacts, ARTIFACTS_ENV.artifactsBucket), grantee, prefix ?? '');
  }

  /** Lists and reads data whose keys begin with `prefix` (default: all). */
  public grantReadData(grantee: iam.IGrantable, prefix?: string): iam.Grant {
    return grantBucketRead(this.access(this.data, ARTIFACTS_ENV.dataBucket), grantee, prefix ?? '');
  }

  /** Writes data whose keys begin with `prefix` (default: all). */
  public grantWriteData(grantee: iam.IGrantable, prefix?: string): iam.Grant {
    return grantBucketWrite(this.access(this.data, ARTIFACTS_ENV.dataBucket), grantee, prefix ?? '');
  }

  /** Lists and reads recorded requests and labels whose keys begin with `prefix` (default: all). */
  public grantReadPredictions(grantee: iam.IGrantable, prefix?: string): iam.Grant {
    return grantBucketRead(this.access(this.predictions, ARTIFACTS_ENV.predictionsBucket), grantee, prefix ?? '');
  }

  /** Writes recorded requests and labels whose keys begin with `prefix` (default: all). */
  public grantWritePredictions(grantee: iam.IGrantable, prefix?: string): iam.Grant {
    return grantBucketWrite(this.access(this.predictions, ARTIFACTS_ENV.predictionsBucket), grantee, prefix ?? '');
  }

  /** Lists and reads reports whose keys begin with `prefix` (default: all). */
  public grantReadReports(grantee: iam.IGrantable, prefix?: string): iam.Grant {
    return grantBucketRead(this.access(this.reports, ARTIFACTS_ENV.reportsBucket), grantee, prefix ?? '');
  }

  /** Writes reports whose keys begin with `prefix` (default: all). */
  public grantWriteReports(grantee: iam.IGrantable, prefix?: string): iam.Grant {
    return grantBucketWrite(this.access(this.reports, ARTIFACTS_ENV.reportsBucket), grantee, prefix ?? '');
  }

  private access(bucket: s3.IBucket, variable: string) {
    return { bucket, variable, keys: [...new Set([bucket.encryptionKey ?? this.encryptionKey, this.encryptionKey])] };
  }
}
