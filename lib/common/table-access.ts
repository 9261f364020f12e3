import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';

/** Actions on a table, and indexes that may be queried; a grant never reaches further, and never allows a scan. */
export interface TableAccess {
  readonly tableArn: string;
  /** @default - none */
  readonly indexes?: readonly string[];
  readonly actions: readonly string[];
}

export const READ_ITEMS = ['dynamodb:GetItem', 'dynamodb:Query'] as const;
export const WRITE_ITEMS = ['dynamodb:PutItem', 'dynamodb:UpdateItem'] as const;

/** Transactions are allowed by the actions of their parts. */
export const grantTable = (grantee: iam.IGrantable, { tableArn, indexes = [], actions }: TableAccess): iam.Grant => {
  const table = iam.Grant.addToPrincipal({ grantee, actions: [...actions], resourceArns: [tableArn] });
  if (indexes.length === 0 || !actions.includes('dynamodb:Query')) return table;
  const resourceArns = indexes.map((index) => `${tableArn}/index/${index}`);
  return table.combine(iam.Grant.addToPrincipal({ grantee, actions: ['dynamodb:Query'], resourceArns }));
};

/** What every table of the platform has in common. */
export const TABLE_DEFAULTS = {
  partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
  sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
  billing: dynamodb.Billing.onDemand(),
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
} as const;

/** The one index of a table: same key attributes everywhere, all attributes projected. */
export const tableIndex = (indexName: string): dynamodb.GlobalSecondaryIndexPropsV2 => ({
  indexName,
  partitionKey: { name: 'gsi1pk', type: dynamodb.AttributeType.STRING },
  sortKey: { name: 'gsi1sk', type: dynamodb.AttributeType.STRING },
});
