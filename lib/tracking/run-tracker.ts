import { RemovalPolicy, Resource, Stack } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct, IConstruct } from 'constructs';
import { addEnvironment } from '../common/environment';
import { grantTable, READ_ITEMS, TABLE_DEFAULTS, WRITE_ITEMS } from '../common/table-access';
import { TRACKING_ENV } from './contract';

/** What ran, with what, and what came out. */
export interface IRunTracker extends IConstruct {
  /** Table of experiments, runs, logged models and lineage. */
  readonly runsTableName: string;

  /**
   * Reads runs by key and by query, never by scan.
   *
   * A function also gets the environment variable that names the table.
   */
  grantRead(grantee: iam.IGrantable): iam.Grant;

  /**
   * Reads and records runs. Nothing can be deleted.
   *
   * A function also gets the environment variable that names the table.
   */
  grantReadWrite(grantee: iam.IGrantable): iam.Grant;
}

/** How runs are kept. */
export interface RunTrackerProps {
  /**
   * Whether the table refuses to be deleted until the protection is lifted.
   *
   * @default - true, false where removalPolicy is DESTROY
   */
  readonly deletionProtection?: boolean;

  /**
   * What happens to the table when it leaves the stack.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** Runs that an index names are read together. */
const READ_RUNS = [...READ_ITEMS, 'dynamodb:BatchGetItem'];

abstract class RunTrackerBase extends Resource implements IRunTracker {
  public abstract readonly runsTableName: string;
  protected abstract readonly runsTableArn: string;

  public grantRead(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, READ_RUNS);
  }

  public grantReadWrite(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, [...READ_RUNS, ...WRITE_ITEMS]);
  }

  private grant(grantee: iam.IGrantable, actions: readonly string[]): iam.Grant {
    addEnvironment(grantee, { [TRACKING_ENV.runsTable]: this.runsTableName });
    return grantTable(grantee, { tableArn: this.runsTableArn, actions });
  }
}

/** The record of runs, of pipelines and of anybody's own code: one table that costs nothing while nobody asks, with point-in-time recovery. */
export class RunTracker extends RunTrackerBase {
  /**
   * A tracker that exists already in this account and region.
   *
   * @param runsTableName table of the runs
   */
  public static fromTableName(scope: Construct, id: string, runsTableName: string): IRunTracker {
    const arn = Stack.of(scope).formatArn({ service: 'dynamodb', resource: 'table', resourceName: runsTableName });
    class ImportedRunTracker extends RunTrackerBase {
      public readonly runsTableName = runsTableName;
      protected readonly runsTableArn = arn;
    }
    return new ImportedRunTracker(scope, id);
  }

  public readonly runsTableName: string;
  /** Table of experiments, runs with their steps, parameters and metrics, logged models, and lineage. */
  public readonly runsTable: dynamodb.ITableV2;
  /** Stream of that table, with new and old images. */
  public readonly runsTableStreamArn: string;
  /** ARN of that table. */
  protected readonly runsTableArn: string;

  /** One table, billed per request. */
  constructor(scope: Construct, id: string, props: RunTrackerProps = {}) {
    super(scope, id);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.runsTable = new dynamodb.TableV2(this, 'Runs', {
      ...TABLE_DEFAULTS,
      dynamoStream: dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
      deletionProtection: props.deletionProtection ?? removalPolicy !== RemovalPolicy.DESTROY,
      removalPolicy,
    });
    this.runsTableName = this.runsTable.tableName;
    this.runsTableArn = this.runsTable.tableArn;
    this.runsTableStreamArn = this.runsTable.tableStreamArn!;
  }
}
