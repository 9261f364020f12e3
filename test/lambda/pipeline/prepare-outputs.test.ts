import { createHash } from 'node:crypto';
import { DataPreparation } from '../../../lambda/pipeline/prepare';
import { MemoryBucket } from '../../fakes/memory-s3';
import { CASE_SPEC, CASES } from './prepare-cases';
import recorded from './prepare-outputs.json';

/** The order in which rows were quarantined depended on the pieces in which a file came. */
const digestOf = (key: string, bytes: Buffer): string => {
  const content = key.endsWith('.jsonl') ? bytes.toString().split('\n').sort().join('\n') : bytes;
  return createHash('sha256').update(content).digest('hex');
};

const outputsOf = async (name: string): Promise<Record<string, string>> => {
  const { files, spec, constraints } = CASES[name];
  const bucket = new MemoryBucket();
  const store = bucket.files();
  await store.put('s3://assets/code.tar.gz', 'code');
  for (const [file, bytes] of Object.entries(files)) await store.put(`s3://data/datasets/Demand/${file}`, bytes);
  const before = new Set(bucket.objects.keys());
  const source = { settings: { ...CASE_SPEC, ...spec }, constraints };
  await new DataPreparation(store, { data: 'data', artifacts: 'artifacts' }, source, () => Date.UTC(2012, 6, 1)).prepare('run-1');
  const written = [...bucket.objects.keys()].filter((key) => !before.has(key)).sort();
  const digests = written.map(async (key) => [key, digestOf(key, await store.readBytes(`s3://${key}`))] as const);
  return Object.fromEntries(await Promise.all(digests));
};

// Digests of all that preparation wrote when rows stood in memory as a whole. A change of any of them changes the data of every model.
test.each(Object.keys(CASES))('what is prepared is the same to the byte: %s', async (name) => {
  expect(await outputsOf(name)).toEqual((recorded as Record<string, Record<string, string>>)[name]);
});
