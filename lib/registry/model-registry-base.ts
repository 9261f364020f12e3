import { Resource } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { addEnvironment } from '../common/environment';
import { grantTable, READ_ITEMS } from '../common/table-access';
import { REGISTRY_ENV, REGISTRY_KEYS } from './contract';
import type { IModelRegistry } from './model-registry';

const READ = [...READ_ITEMS, 'dynamodb:BatchGetItem'];

/**
 * Grants, the same on registries that are made and that are imported.
 *
 * @internal
 */
export abstract class ModelRegistryBase extends Resource implements IModelRegistry {
  public abstract readonly registryTableName: string;
  public abstract readonly historyTableName: string;
  public abstract readonly writerFunctionName: string;
  protected abstract readonly registryTableArn: string;
  protected abstract readonly historyTableArn: string;
  protected abstract readonly writerFunctionArn: string;

  public grantRead(grantee: iam.IGrantable): iam.Grant {
    addEnvironment(grantee, {
      [REGISTRY_ENV.registryTable]: this.registryTableName,
      [REGISTRY_ENV.historyTable]: this.historyTableName,
    });
    return grantTable(grantee, { tableArn: this.registryTableArn, indexes: [REGISTRY_KEYS.digestIndex], actions: READ }).combine(
      grantTable(grantee, { tableArn: this.historyTableArn, actions: READ_ITEMS }),
    );
  }

  public grantReadWrite(grantee: iam.IGrantable): iam.Grant {
    addEnvironment(grantee, { [REGISTRY_ENV.writerFunction]: this.writerFunctionName });
    const invoke = iam.Grant.addToPrincipal({ grantee, actions: ['lambda:InvokeFunction'], resourceArns: [this.writerFunctionArn] });
    return this.grantRead(grantee).combine(invoke);
  }

  public grantAudit(grantee: iam.IGrantable): iam.Grant {
    return this.grantRead(grantee);
  }
}
