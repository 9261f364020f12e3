import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { sitePackages } from './images';

export interface Shape {
  readonly type: string;
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly member?: { readonly shape: string };
  readonly key?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly union?: boolean;
}

export interface ServiceModel {
  /** Every operation of the real service with its input shape, also those that this engine lacks. */
  readonly operations: ReadonlyMap<string, string | undefined>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

const FILE = 'botocore/data/sagemaker/2017-07-24/service-2.json.gz';

interface RawModel {
  operations: Record<string, { input?: { shape: string } }>;
  shapes: Record<string, Shape & { documentation?: string }>;
}

/** Reads the real service's model out of the engine's botocore and keeps only what the wanted operations reach. */
export function loadServiceModel(python: string, wanted: readonly string[]): ServiceModel {
  const raw = JSON.parse(gunzipSync(readFileSync(modelFile(python))).toString('utf8')) as RawModel;
  const operations = new Map(Object.entries(raw.operations).map(([name, operation]) => [name, operation.input?.shape]));
  const shapes: Record<string, Shape> = {};
  const visit = (name: string | undefined) => {
    if (!name || shapes[name]) return;
    const { type, required, members, member, key, value, min, max, pattern, enum: values, union } = raw.shapes[name];
    const plain = members && Object.fromEntries(Object.entries(members).map(([field, { shape }]) => [field, { shape }]));
    shapes[name] = { type, required, members: plain, member, key, value, min, max, pattern, enum: values, union };
    for (const field of Object.values(members ?? {})) visit(field.shape);
    for (const inner of [member, key, value]) visit(inner?.shape);
  };
  for (const name of wanted) visit(operations.get(name));
  return { operations, shapes };
}

function modelFile(python: string): string {
  const near = sitePackages(python)
    .map((directory) => path.join(directory, FILE))
    .find((file) => existsSync(file));
  if (near) return near;
  const asked = spawnSync(python, ['-c', 'import botocore, os; print(os.path.dirname(os.path.dirname(botocore.__file__)))'], { encoding: 'utf8' });
  const file = path.join(asked.stdout?.trim() ?? '', FILE);
  if (asked.status !== 0 || !existsSync(file)) throw new Error(`${python} has no botocore with SageMaker's service model`);
  return file;
}
