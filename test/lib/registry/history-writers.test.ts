import type { Template } from 'aws-cdk-lib/assertions';
import { list, synthesizeApp } from '../../templates/synthesized-app';

// The synthesis of the whole app takes its time on a machine that has other work.
jest.setTimeout(60_000);

interface Statement {
  readonly Effect: string;
  readonly Action?: string | string[];
  readonly NotAction?: unknown;
  readonly Resource?: unknown;
}

interface Permission extends Statement {
  /** Logical id of whatever carries the policy. */
  readonly holder: string;
}

let template: Template;
let permissions: Permission[];

/** Every statement that allows something, wherever a template can hold one: inline, beside a role, managed, or on a resource. */
const statementsOf = (value: unknown, holder: string): Permission[] => {
  if (Array.isArray(value)) return value.flatMap((one) => statementsOf(one, holder));
  if (typeof value !== 'object' || value === null) return [];
  const { Effect, Action, NotAction } = value as Statement;
  if (Effect === 'Deny') return [];
  if (Effect === 'Allow' && (Action !== undefined || NotAction !== undefined)) return [{ ...(value as Statement), holder }];
  return Object.values(value).flatMap((one) => statementsOf(one, holder));
};

beforeAll(async () => {
  template = await synthesizeApp();
  permissions = Object.entries(template.toJSON().Resources as Record<string, { Properties?: object }>).flatMap(([id, { Properties }]) =>
    statementsOf(Properties, id),
  );
});

const matches = (pattern: string, action: string): boolean =>
  new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')}$`, 'i').test(action);

/** Whether a statement allows the action, by name, by a wildcard, or by not naming it. */
const allows = ({ Action, NotAction }: Permission, action: string): boolean =>
  NotAction !== undefined || list(Action ?? []).some((pattern) => matches(pattern, action));

const historyTable = (): string => {
  const ids = Object.keys(template.findResources('AWS::DynamoDB::GlobalTable')).filter((id) => id.includes('RegistryHistory'));
  expect(ids).toHaveLength(1);
  return ids[0];
};

/** Whether a statement reaches the history's table: it is named, or a wildcard may mean it. */
const reachesHistory = ({ Resource }: Permission, table: string): boolean =>
  Resource === undefined ||
  list(Resource).some((resource) => {
    const text = JSON.stringify(resource);
    return text.includes(`"${table}"`) || text === '"*"' || (/dynamodb/.test(text) && text.includes('*') && !text.includes('table/'));
  });

const WRITES = [
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:BatchWriteItem',
  'dynamodb:PartiQLInsert',
  'dynamodb:PartiQLUpdate',
  'dynamodb:PartiQLDelete',
  'dynamodb:RestoreTableToPointInTime',
  'dynamodb:ImportTable',
  'dynamodb:DeleteTable',
];

test('the policies are read, wherever they stand', () => {
  expect(permissions.length).toBeGreaterThan(100);
  expect(permissions.some((permission) => allows(permission, 'dynamodb:GetItem') && reachesHistory(permission, historyTable()))).toBe(true);
});

test('one role adds to the history, that of the writer function, and it can only add', () => {
  const table = historyTable();
  const writers = permissions
    .filter((permission) => reachesHistory(permission, table))
    .flatMap((permission) => WRITES.filter((action) => allows(permission, action)).map((action) => `${permission.holder} ${action}`));
  expect(writers).toEqual([expect.stringMatching(/^\w*RegistryWriterRole\w* dynamodb:PutItem$/)]);
});

test('only the writer function has that role', () => {
  const [role] = permissions.filter((permission) => allows(permission, 'dynamodb:PutItem') && reachesHistory(permission, historyTable()));
  const functions = Object.entries(template.findResources('AWS::Lambda::Function')).filter(([, { Properties }]) =>
    JSON.stringify(Properties.Role).includes(`"${role.holder}"`),
  );
  expect(functions.map(([id]) => id)).toEqual([expect.stringContaining('RegistryWriter')]);
});

test('no policy allows reading a table from end to end, or by PartiQL', () => {
  const found = permissions.flatMap((permission) =>
    ['dynamodb:Scan', 'dynamodb:PartiQLSelect', 'dynamodb:ExportTableToPointInTime']
      .filter((action) => allows(permission, action))
      .map((action) => `${permission.holder} ${action}`),
  );
  expect(found).toEqual([]);
});
