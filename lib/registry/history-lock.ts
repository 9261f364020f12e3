import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sources from 'aws-cdk-lib/aws-lambda-event-sources';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../common/acknowledge';
import { COMMON_ENV } from '../common/contract';
import { deadLetterQueue } from '../common/dead-letter-queue';
import { PlatformFunction } from '../common/function';
import { LOCK_KEYS, REGISTRY_ENV } from './contract';

/** What is copied, and how long it stays. */
export interface HistoryLockProps {
  readonly historyTable: dynamodb.ITableV2;
  readonly retention: Duration;
  readonly platformName: string;
}

/**
 * Copies each entry of the history into a bucket where nobody, not even the account's root, can change or delete it before its time is over.
 *
 * @internal
 */
export class HistoryLock extends Construct {
  public readonly bucket: s3.Bucket;
  /** Entries that could not be copied. */
  public readonly deadLetters: sqs.Queue;

  constructor(scope: Construct, id: string, props: HistoryLockProps) {
    super(scope, id);
    this.bucket = new s3.Bucket(this, 'Copies', {
      // Not by a key of the account: who deletes the key would delete what it encrypts.
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention: s3.ObjectLockRetention.compliance(props.retention),
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.deadLetters = deadLetterQueue(this, 'DeadLetters');
    const copier = new PlatformFunction(this, 'Copier', {
      handler: 'registry/lock-history',
      description: 'Copies the history of the registry to where it cannot be changed',
      environment: { [COMMON_ENV.platform]: props.platformName, [REGISTRY_ENV.lockBucket]: this.bucket.bucketName },
      memorySize: 256,
    });
    const copies = this.bucket.arnForObjects(`${LOCK_KEYS.root}*`);
    copier.addToRolePolicy(new iam.PolicyStatement({ actions: ['s3:PutObject'], resources: [copies] }));
    acknowledgeWildcards(copier, [copies], 'One object per entry of the history.');
    copier.addEventSource(
      new sources.DynamoEventSource(props.historyTable, {
        startingPosition: lambda.StartingPosition.TRIM_HORIZON,
        batchSize: 100,
        bisectBatchOnError: true,
        reportBatchItemFailures: true,
        retryAttempts: 20,
        onFailure: new sources.SqsDlq(this.deadLetters),
      }),
    );
  }
}
