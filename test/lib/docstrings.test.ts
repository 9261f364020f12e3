import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

interface Documented {
  readonly name: string;
  readonly docs?: { readonly summary?: string; readonly default?: string };
  readonly optional?: boolean;
  readonly overrides?: string;
  readonly type?: { readonly primitive?: string };
}

interface Type extends Documented {
  readonly kind: 'class' | 'interface' | 'enum';
  readonly datatype?: boolean;
  readonly initializer?: Documented;
  readonly properties?: readonly Documented[];
  readonly methods?: readonly Documented[];
  readonly members?: readonly Documented[];
}

const assembly = path.resolve(__dirname, '..', '..', '.jsii');

const types = (): readonly Type[] => {
  if (!existsSync(assembly)) throw new Error('the library is not built: run `npm run build` first');
  return Object.values(JSON.parse(readFileSync(assembly, 'utf8')).types as Record<string, Type>);
};

const isSilent = ({ docs, overrides }: Documented): boolean => overrides === undefined && (docs?.summary ?? '').length < 10;

test('everything public says what it means', () => {
  const silent = types().flatMap((type) => [
    ...[type, { ...(type.initializer ?? type), name: 'constructor' }].filter(isSilent).map(({ name }) => `${type.name}: ${name}`),
    ...[...(type.properties ?? []), ...(type.methods ?? []), ...(type.members ?? [])].filter(isSilent).map(({ name }) => `${type.name}.${name}`),
  ]);
  expect(silent).toEqual([]);
});

test('every property that may be left out says what happens then', () => {
  const structs = types().filter(({ kind, datatype }) => kind === 'interface' && datatype);
  expect(structs.length).toBeGreaterThan(20);
  const silent = structs.flatMap(({ name, properties = [] }) =>
    properties.filter(({ optional, docs }) => optional && !docs?.default).map((property) => `${name}.${property.name}`),
  );
  expect(silent).toEqual([]);
});
