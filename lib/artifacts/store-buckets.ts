import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { Validator } from '../common/validation';
import { WORK_ROOT } from './contract';

/** A failed execution can be redriven for 14 days and may need what its first steps left. */
const WORK_RETENTION = Duration.days(15);

export interface StoreBucketsOptions {
  readonly encryptionKey: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
  readonly noncurrentVersionRetention: Duration;
  readonly accessLogRetention: Duration;
  readonly predictionsRetention?: Duration;
  readonly eventBridgeEnabled: boolean;
}

/** Makes the buckets of a store, all with the same settings, and the bucket of their access logs with the first of them. */
export class StoreBuckets {
  private logs?: s3.Bucket;

  constructor(
    private readonly scope: Construct,
    private readonly options: StoreBucketsOptions,
  ) {
    const validator = new Validator(`ArtifactStore ${scope.node.path}`);
    for (const place of ['predictionsRetention', 'noncurrentVersionRetention', 'accessLogRetention'] as const) {
      const days = options[place]?.toDays({ integral: false });
      validator
        .range(place, days, 1, 36_500, 'choose whole days in that range')
        .check(days === undefined || Number.isInteger(days), {
          rule: 'must be whole days, S3 counts no less',
          place,
          got: `${days} days`,
          fix: 'use Duration.days()',
        });
    }
    validator.throwIfAny();
  }

  /** With `work`, what lies below WORK_ROOT goes by itself. */
  public make(id: string, { retention, work = false }: { readonly retention?: Duration; readonly work?: boolean } = {}): s3.Bucket {
    const { encryptionKey, removalPolicy, eventBridgeEnabled, noncurrentVersionRetention } = this.options;
    const bucket = new s3.Bucket(this.scope, id, {
      encryption: s3.BucketEncryption.KMS,
      encryptionKey,
      bucketKeyEnabled: true,
      enforceSSL: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      versioned: true,
      eventBridgeEnabled: eventBridgeEnabled || undefined,
      removalPolicy,
      lifecycleRules: [
        {
          id: 'Leftovers',
          abortIncompleteMultipartUploadAfter: Duration.days(7),
          noncurrentVersionExpiration: noncurrentVersionRetention,
          expiredObjectDeleteMarker: true,
        },
        // A rule of its own: S3 takes no expiration by age beside the one of delete markers.
        ...(retention ? [{ id: 'Retention', expiration: retention }] : []),
        ...(work ? [{ id: 'Work', prefix: WORK_ROOT, expiration: WORK_RETENTION, noncurrentVersionExpiration: Duration.days(1) }] : []),
      ],
    });
    this.logTo(bucket, `${id.toLowerCase()}/`);
    return bucket;
  }

  private logTo(bucket: s3.Bucket, prefix: string): void {
    this.logs ??= this.makeLogs();
    // The typed property would add an ACL where the app does not set the flag for bucket policies, and ACLs are off here.
    (bucket.node.defaultChild as s3.CfnBucket).loggingConfiguration = { destinationBucketName: this.logs.bucketName, logFilePrefix: prefix };
    this.logs.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('logging.s3.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [this.logs.arnForObjects(`${prefix}*`)],
        conditions: {
          ArnLike: { 'aws:SourceArn': bucket.bucketArn },
          StringEquals: { 'aws:SourceAccount': Stack.of(this.scope).account },
        },
      }),
    );
  }

  private makeLogs(): s3.Bucket {
    return new s3.Bucket(this.scope, 'AccessLogs', {
      // S3 delivers access logs only to buckets with its own key.
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      versioned: true,
      removalPolicy: this.options.removalPolicy,
      lifecycleRules: [
        {
          expiration: this.options.accessLogRetention,
          noncurrentVersionExpiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
      ],
    });
  }
}
