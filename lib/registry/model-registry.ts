import { RemovalPolicy, Resource, Stack } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct, IConstruct } from 'constructs';
import { addEnvironment } from '../common/environment';
import { grantTable, READ_ITEMS, TABLE_DEFAULTS, tableIndex, WRITE_ITEMS } from '../common/table-access';
import { REGISTRY_ENV, REGISTRY_KEYS } from './contract';

/** Models, their versions, and which one serves. */
export interface IModelRegistry extends IConstruct {
  /** Table of models, versions and the champion pointers. */
  readonly registryTableName: string;

  /** Table of the history, which is only added to. */
  readonly historyTableName: string;

  /**
   * Reads models, versions, champions and the history, by key and by query, never by scan.
   *
   * A function also gets the environment variables that name the tables.
   */
  grantRead(grantee: iam.IGrantable): iam.Grant;

  /**
   * Reads, registers, moves and promotes versions. History entries can be added, never changed; nothing can be deleted.
   *
   * A function also gets the environment variables that name the tables.
   */
  grantReadWrite(grantee: iam.IGrantable): iam.Grant;
}

/** How the registry is kept. */
export interface ModelRegistryProps {
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

abstract class ModelRegistryBase extends Resource implements IModelRegistry {
  public abstract readonly registryTableName: string;
  public abstract readonly historyTableName: string;
  protected abstract readonly registryTableArn: string;
  protected abstract readonly historyTableArn: string;

  public grantRead(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, READ_ITEMS, READ_ITEMS);
  }

  public grantReadWrite(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, [...READ_ITEMS, ...WRITE_ITEMS], [...READ_ITEMS, 'dynamodb:PutItem']);
  }

  private grant(grantee: iam.IGrantable, onRegistry: readonly string[], onHistory: readonly string[]): iam.Grant {
    addEnvironment(grantee, {
      [REGISTRY_ENV.registryTable]: this.registryTableName,
      [REGISTRY_ENV.historyTable]: this.historyTableName,
    });
    return grantTable(grantee, { tableArn: this.registryTableArn, indexes: [REGISTRY_KEYS.digestIndex], actions: onRegistry }).combine(
      grantTable(grantee, { tableArn: this.historyTableArn, actions: onHistory }),
    );
  }
}

/**
 * The registry of model versions: two tables that cost nothing while nobody asks, with point-in-time recovery.
 *
 * Every change of a model is one transaction that also adds a link to the model's history; each link carries the hash of the one before.
 */
export class ModelRegistry extends ModelRegistryBase {
  /**
   * A registry that exists already in this account and region.
   *
   * @param registryTableName table of models and versions
   * @param historyTableName table of the history
   */
  public static fromTableNames(scope: Construct, id: string, registryTableName: string, historyTableName: string): IModelRegistry {
    const arn = (resourceName: string) => Stack.of(scope).formatArn({ service: 'dynamodb', resource: 'table', resourceName });
    class ImportedModelRegistry extends ModelRegistryBase {
      public readonly registryTableName = registryTableName;
      public readonly historyTableName = historyTableName;
      protected readonly registryTableArn = arn(registryTableName);
      protected readonly historyTableArn = arn(historyTableName);
    }
    return new ImportedModelRegistry(scope, id);
  }

  public readonly registryTableName: string;
  public readonly historyTableName: string;
  /** Table of models, versions and the champion pointers. */
  public readonly registryTable: dynamodb.ITableV2;
  /** Table of the history. */
  public readonly historyTable: dynamodb.ITableV2;
  /** ARN of the table of models, versions and champion pointers. */
  protected readonly registryTableArn: string;
  /** ARN of the table of the history. */
  protected readonly historyTableArn: string;

  /** Two tables, billed per request. */
  constructor(scope: Construct, id: string, props: ModelRegistryProps = {}) {
    super(scope, id);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const deletionProtection = props.deletionProtection ?? removalPolicy !== RemovalPolicy.DESTROY;
    this.registryTable = new dynamodb.TableV2(this, 'Registry', {
      ...TABLE_DEFAULTS,
      globalSecondaryIndexes: [tableIndex(REGISTRY_KEYS.digestIndex)],
      deletionProtection,
      removalPolicy,
    });
    this.historyTable = new dynamodb.TableV2(this, 'History', { ...TABLE_DEFAULTS, deletionProtection, removalPolicy });
    this.registryTableName = this.registryTable.tableName;
    this.historyTableName = this.historyTable.tableName;
    this.registryTableArn = this.registryTable.tableArn;
    this.historyTableArn = this.historyTable.tableArn;
  }
}
