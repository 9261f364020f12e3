import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sources from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { COMMON_ENV } from '../common/contract';
import { deadLetterQueue } from '../common/dead-letter-queue';
import { addEnvironment } from '../common/environment';
import { PlatformFunction } from '../common/function';
import { grantTable, READ_ITEMS, TABLE_DEFAULTS, WRITE_ITEMS } from '../common/table-access';
import { REGISTRY_KEYS } from '../registry/contract';
import { ModelRegistry } from '../registry/model-registry';
import { TRACKING_KEYS } from '../tracking/contract';
import { RunTracker } from '../tracking/run-tracker';
import { SEARCH_ENV } from './contract';

/** What a SearchIndex covers. */
export interface SearchIndexProps {
  /** Models and versions that are found. */
  readonly registry: ModelRegistry;

  /** Experiments, runs and datasets that are found. */
  readonly tracker: RunTracker;

  /**
   * Name of the platform that the function's metrics and logs belong to.
   *
   * @default 'mlops'
   */
  readonly platformName?: string;

  /**
   * Takes changes that could not be indexed.
   *
   * @default - a new queue
   */
  readonly deadLetters?: sqs.IQueue;

  /**
   * What happens to the table when it leaves the stack. Its contents are made from registry and runs: `mlops search --rebuild` makes them again.
   *
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** Finds models, versions, experiments, runs and datasets by words of names, owners, tags and causes: one table, kept by the stores’ streams. */
export class SearchIndex extends Construct {
  /** Table of the words. */
  public readonly indexTable: dynamodb.ITableV2;
  /** Changes that could not be indexed. */
  public readonly deadLetters: sqs.IQueue;
  /** What follows the changes. */
  public readonly indexer: lambda.Function;

  /** A table, and a function that follows the changes of registry and runs. */
  constructor(scope: Construct, id: string, props: SearchIndexProps) {
    super(scope, id);
    this.indexTable = new dynamodb.TableV2(this, 'Words', { ...TABLE_DEFAULTS, removalPolicy: props.removalPolicy ?? RemovalPolicy.DESTROY });
    this.deadLetters = props.deadLetters ?? deadLetterQueue(this, 'DeadLetters');
    this.indexer = new PlatformFunction(this, 'Indexer', {
      handler: 'search/index-words',
      description: 'Keeps the index of words in step with registry and runs',
      environment: { [COMMON_ENV.platform]: props.platformName ?? 'mlops', [SEARCH_ENV.indexTable]: this.indexTable.tableName },
      timeout: Duration.minutes(2),
    });
    grantTable(this.indexer, {
      tableArn: this.indexTable.tableArn,
      // Unlike those of registry and runs its items go: what it says is said there.
      actions: [...READ_ITEMS, ...WRITE_ITEMS, 'dynamodb:BatchWriteItem', 'dynamodb:DeleteItem'],
    });
    props.registry.grantRead(this.indexer);
    props.tracker.grantRead(this.indexer);
    this.follow(props.registry.registryTable, [
      { pk: lambda.FilterRule.isEqual(REGISTRY_KEYS.models) },
      { sk: lambda.FilterRule.isEqual(REGISTRY_KEYS.meta) },
      { sk: lambda.FilterRule.beginsWith(REGISTRY_KEYS.versionPrefix) },
    ]);
    this.follow(props.tracker.runsTable, [
      { pk: lambda.FilterRule.isEqual(TRACKING_KEYS.experiments) },
      { pk: lambda.FilterRule.beginsWith(TRACKING_KEYS.experiment('')), sk: lambda.FilterRule.beginsWith(TRACKING_KEYS.runRowPrefix) },
    ]);
  }

  /**
   * Reads the index, by word, never by scan.
   *
   * A function also gets the environment variable that names the table.
   */
  public grantRead(grantee: iam.IGrantable): iam.Grant {
    addEnvironment(grantee, { [SEARCH_ENV.indexTable]: this.indexTable.tableName });
    return grantTable(grantee, { tableArn: this.indexTable.tableArn, actions: [...READ_ITEMS, 'dynamodb:BatchGetItem'] });
  }

  private follow(table: dynamodb.ITableV2, keys: readonly { readonly [name: string]: unknown }[]): void {
    const texts = (rules: { readonly [name: string]: unknown }) =>
      Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name, { S: rule }]));
    this.indexer.addEventSource(
      new sources.DynamoEventSource(table, {
        startingPosition: lambda.StartingPosition.TRIM_HORIZON,
        batchSize: 200,
        maxBatchingWindow: Duration.seconds(2),
        bisectBatchOnError: true,
        reportBatchItemFailures: true,
        retryAttempts: 5,
        onFailure: new sources.SqsDlq(this.deadLetters),
        filters: keys.map((key) => lambda.FilterCriteria.filter({ dynamodb: { Keys: texts(key) } })),
      }),
    );
  }
}
