// What every bench over a table needs: the product's own modules, and an engine with a DynamoDB that goes when the work is done.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { buildSync } from 'esbuild';

const require = createRequire(import.meta.url);
const quiet = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
const mlops = (...args) => execFileSync(process.execPath, ['assets/bin/mlops.js', ...args], quiet);

const keys = ([hash, range]) => [
  { AttributeName: hash, KeyType: 'HASH' },
  { AttributeName: range, KeyType: 'RANGE' },
];

/** Makes a table with pk and sk, and with the one index that a name asks for. */
const tableMaker = (client) => (TableName, IndexName) => {
  const indexed = IndexName === undefined ? [] : ['gsi1pk', 'gsi1sk'];
  const index = { IndexName, KeySchema: keys(['gsi1pk', 'gsi1sk']), Projection: { ProjectionType: 'ALL' } };
  return client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys(['pk', 'sk']),
      AttributeDefinitions: ['pk', 'sk', ...indexed].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      ...(IndexName === undefined ? {} : { GlobalSecondaryIndexes: [index] }),
    }),
  );
};

/**
 * Runs the work on an engine of that name: `client` reaches its DynamoDB, `db` is the document client over it, `table` makes a table, `load` a
 * module of the product by its path.
 */
export const onEngine = async (name, work) => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-bench-'));
  const load = (entry) => {
    const outfile = path.join(directory, `${path.basename(entry)}.cjs`);
    buildSync({ entryPoints: [path.resolve(entry)], outfile, bundle: true, platform: 'node', format: 'cjs', tsconfigRaw: '{}', logLevel: 'error' });
    return require(outfile);
  };
  mlops('local', 'start', '--name', name);
  try {
    const [{ endpoint, region }] = JSON.parse(mlops('local', 'status', name, '--json'));
    const client = new DynamoDBClient({ region, endpoint, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
    const { DynamoDBDocumentClient } = require('@aws-sdk/lib-dynamodb');
    const db = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
    await work({ client, db, table: tableMaker(client), load });
    client.destroy();
  } finally {
    mlops('local', 'stop', name);
    rmSync(directory, { recursive: true, force: true });
  }
};
