import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Construct } from 'constructs';
import { client } from './harness';

interface TableProperties {
  readonly KeySchema: never[];
  readonly AttributeDefinitions: never[];
  readonly GlobalSecondaryIndexes?: { readonly IndexName: string; readonly KeySchema: never[]; readonly Projection: never }[];
}

/** Makes the tables of a construct in the engine, with the keys and indexes of its template, so that clients are tested against those. */
export const createTablesOf = async (build: (scope: Construct) => void): Promise<{ named(idPart: string): string; remove(): Promise<void> }> => {
  const stack = new Stack(new App(), 'Tables');
  build(stack);
  const db = client(DynamoDBClient);
  const names: Record<string, string> = {};
  for (const [id, { Properties }] of Object.entries(Template.fromStack(stack).findResources('AWS::DynamoDB::GlobalTable'))) {
    const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes } = Properties as TableProperties;
    const TableName = `${id}-${randomUUID()}`;
    await db.send(
      new CreateTableCommand({
        TableName,
        KeySchema,
        AttributeDefinitions,
        GlobalSecondaryIndexes: GlobalSecondaryIndexes?.map((index) => ({ ...index, WarmThroughput: undefined })),
        BillingMode: 'PAY_PER_REQUEST',
      }),
    );
    names[id] = TableName;
  }
  return {
    named: (idPart) => Object.entries(names).find(([id]) => id.includes(idPart))?.[1] ?? '',
    remove: async () => {
      for (const TableName of Object.values(names)) await db.send(new DeleteTableCommand({ TableName }));
      db.destroy();
    },
  };
};
