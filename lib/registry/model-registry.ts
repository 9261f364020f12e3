import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct, IConstruct } from 'constructs';
import { acknowledgeWildcards } from '../common/acknowledge';
import { COMMON_ENV } from '../common/contract';
import { addEnvironment } from '../common/environment';
import { PlatformFunction } from '../common/function';
import { grantTable, TABLE_DEFAULTS, tableIndex } from '../common/table-access';
import { Validator } from '../common/validation';
import { LOCK_KEYS, REGISTRY_ENV, REGISTRY_KEYS } from './contract';
import { HistoryLock } from './history-lock';
import { ModelRegistryBase } from './model-registry-base';

/** Models, their versions, and which one serves. */
export interface IModelRegistry extends IConstruct {
  /** Table of models, versions and what serves. */
  readonly registryTableName: string;

  /** Table of the history, which is only added to. */
  readonly historyTableName: string;

  /** Function that carries out every change; nobody else may write to the two tables. */
  readonly writerFunctionName: string;

  /**
   * Reads models, versions, champions and the history, by key and by query, never by scan.
   *
   * A function also gets the environment variables that name the tables.
   */
  grantRead(grantee: iam.IGrantable): iam.Grant;

  /**
   * Reads, and has every change carried out by the writer function, which puts it on record. Who is on record is what the grantee states: let
   * people go through the platform's API, which states who signed.
   *
   * A function also gets the environment variables that name the tables and the writer function.
   */
  grantReadWrite(grantee: iam.IGrantable): iam.Grant;

  /**
   * Reads everything that tells whether the history is true, the locked copies too where there are any.
   *
   * A function also gets the environment variables that name tables and bucket.
   */
  grantAudit(grantee: iam.IGrantable): iam.Grant;
}

/** How the registry is kept. */
export interface ModelRegistryProps {
  /**
   * Name of the platform, which the logs of the registry's functions carry.
   *
   * @default 'mlops'
   */
  readonly platformName?: string;

  /**
   * How long a copy of each entry of the history is locked where nobody can change or delete it, not even the account's root: whole days, 1 to
   * 36,500. The bucket stays with its copies when the stack goes; locked copies are paid for until their time is over.
   *
   * @default - no copies: the history shows tampering by its own chain of digests
   */
  readonly historyLock?: Duration;

  /**
   * Whether the tables refuse to be deleted until the protection is lifted.
   *
   * @default - true, false where removalPolicy is DESTROY
   */
  readonly deletionProtection?: boolean;

  /**
   * What happens to the tables when they leave the stack.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * The registry of models and their versions: two tables that cost nothing while nobody asks, with point-in-time recovery, and the one function that
 * writes to them.
 *
 * Every change of a model is one transaction that also adds a link to the model's history; each link carries the digest of the one before.
 */
export class ModelRegistry extends ModelRegistryBase {
  /**
   * A registry that exists already in this account and region.
   *
   * @param registryTableName table of models and versions
   * @param historyTableName table of the history
   * @param writerFunctionName function that writes to them
   */
  public static fromTableNames(
    scope: Construct,
    id: string,
    registryTableName: string,
    historyTableName: string,
    writerFunctionName: string,
  ): IModelRegistry {
    const stack = Stack.of(scope);
    const table = (resourceName: string) => stack.formatArn({ service: 'dynamodb', resource: 'table', resourceName });
    class ImportedModelRegistry extends ModelRegistryBase {
      public readonly registryTableName = registryTableName;
      public readonly historyTableName = historyTableName;
      public readonly writerFunctionName = writerFunctionName;
      protected readonly registryTableArn = table(registryTableName);
      protected readonly historyTableArn = table(historyTableName);
      protected readonly writerFunctionArn = stack.formatArn({
        service: 'lambda',
        resource: 'function',
        resourceName: writerFunctionName,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
    }
    return new ImportedModelRegistry(scope, id);
  }

  public readonly registryTableName: string;
  public readonly historyTableName: string;
  public readonly writerFunctionName: string;
  /** Table of models, versions and what serves; its stream tells of every change, with the item before and after. */
  public readonly registryTable: dynamodb.ITableV2;
  /** Table of the history; its stream tells of every entry. */
  public readonly historyTable: dynamodb.ITableV2;
  /** The one function that writes to the tables. */
  public readonly writerFunction: lambda.IFunction;
  /** Bucket of the locked copies of the history; undefined where none are kept. */
  public readonly lockedCopies?: s3.IBucket;
  /** Entries of the history that could not be copied; undefined where none are. */
  public readonly lockDeadLetters?: sqs.IQueue;
  /** ARN of the table of models, versions and what serves. */
  protected readonly registryTableArn: string;
  /** ARN of the table of the history. */
  protected readonly historyTableArn: string;
  /** ARN of the function that writes. */
  protected readonly writerFunctionArn: string;

  /** Fails at synth if the time of the lock is not whole days. */
  constructor(scope: Construct, id: string, props: ModelRegistryProps = {}) {
    super(scope, id);
    const { historyLock, platformName = 'mlops', removalPolicy = RemovalPolicy.RETAIN } = props;
    const days = historyLock?.toDays({ integral: false });
    new Validator(`ModelRegistry ${this.node.path}`)
      .range('historyLock', days, 1, 36_500, 'choose whole days in that range')
      .check(Number.isInteger(days ?? 1), { rule: 'must be whole days', place: 'historyLock', got: `${days} days`, fix: 'use Duration.days()' })
      .throwIfAny();
    const deletionProtection = props.deletionProtection ?? removalPolicy !== RemovalPolicy.DESTROY;
    const kept = { ...TABLE_DEFAULTS, dynamoStream: dynamodb.StreamViewType.NEW_AND_OLD_IMAGES, deletionProtection, removalPolicy };
    const globalSecondaryIndexes = [tableIndex(REGISTRY_KEYS.digestIndex)];
    this.registryTable = new dynamodb.TableV2(this, 'Registry', { ...kept, globalSecondaryIndexes });
    this.historyTable = new dynamodb.TableV2(this, 'History', kept);
    this.registryTableName = this.registryTable.tableName;
    this.historyTableName = this.historyTable.tableName;
    this.registryTableArn = this.registryTable.tableArn;
    this.historyTableArn = this.historyTable.tableArn;

    const writer = new PlatformFunction(this, 'Writer', {
      handler: 'registry/write-registry',
      description: 'Carries out every change of the registry and puts it on record',
      environment: { [COMMON_ENV.platform]: platformName },
      timeout: Duration.seconds(30),
    });
    this.grantRead(writer);
    grantTable(writer, { tableArn: this.registryTableArn, actions: ['dynamodb:PutItem'] });
    grantTable(writer, { tableArn: this.historyTableArn, actions: ['dynamodb:PutItem'] });
    this.writerFunction = writer;
    this.writerFunctionName = writer.functionName;
    this.writerFunctionArn = writer.functionArn;

    if (historyLock) {
      const lock = new HistoryLock(this, 'Lock', { historyTable: this.historyTable, retention: historyLock, platformName });
      this.lockedCopies = lock.bucket;
      this.lockDeadLetters = lock.deadLetters;
    }
  }

  public override grantAudit(grantee: iam.IGrantable): iam.Grant {
    const tables = super.grantAudit(grantee);
    if (!this.lockedCopies) return tables;
    addEnvironment(grantee, { [REGISTRY_ENV.lockBucket]: this.lockedCopies.bucketName });
    const { bucketArn } = this.lockedCopies;
    const objects = this.lockedCopies.arnForObjects(`${LOCK_KEYS.root}*`);
    acknowledgeWildcards(grantee, [objects], 'One object per entry of the history.');
    return tables
      .combine(iam.Grant.addToPrincipal({ grantee, actions: ['s3:ListBucket'], resourceArns: [bucketArn] }))
      .combine(iam.Grant.addToPrincipal({ grantee, actions: ['s3:GetObject'], resourceArns: [objects] }));
  }
}
