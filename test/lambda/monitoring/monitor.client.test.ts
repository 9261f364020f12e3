import { Readable } from 'node:stream';
import { ListedObject, S3Files } from '../../../lambda/common/s3.client';
import { BaselineClient } from '../../../lambda/monitoring/baseline.client';
import { MonitorClient } from '../../../lambda/monitoring/monitor.client';
import { SPEC } from './samples';

const HOURS = { start: Date.parse('2012-03-10T00:00:00Z'), end: Date.parse('2012-03-11T00:00:00Z') };
const PREFIX = 'capture/mlops-bikedemand/primary/';

/** Objects of one bucket in memory, with S3's order and StartAfter. */
class MemoryFiles {
  public readonly read: string[] = [];
  public open = 0;
  public mostOpen = 0;

  constructor(private readonly objects: Record<string, string>) {}

  public async *list(prefixUri: string, options: { startAfter?: string } = {}): AsyncGenerator<ListedObject> {
    const prefix = prefixUri.replace(/^s3:\/\/[^/]+\//, '');
    for (const key of Object.keys(this.objects).sort()) {
      if (key.startsWith(prefix) && key > (options.startAfter ?? '')) {
        yield { uri: `s3://b/${key}`, key, bytes: this.objects[key].length, etag: '', lastModified: new Date(0) };
      }
    }
  }

  public async readText(uri: string): Promise<string> {
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    // The later an object, the sooner it is there: order must not come from luck.
    await new Promise((resolve) => setTimeout(resolve, 20 - this.read.length));
    this.open -= 1;
    this.read.push(uri);
    return this.objects[uri.replace(/^s3:\/\/[^/]+\//, '')];
  }

  public async head(uri: string) {
    return uri.replace(/^s3:\/\/[^/]+\//, '') in this.objects ? {} : undefined;
  }

  public async readStream(uri: string) {
    return Readable.from([this.objects[uri.replace(/^s3:\/\/[^/]+\//, '')]]);
  }

  public async *readLines(uri: string) {
    yield* this.objects[uri.replace(/^s3:\/\/[^/]+\//, '')].split('\n');
  }
}

const clientOf = (objects: Record<string, string>) => {
  const files = new MemoryFiles(objects);
  const registry = { champion: async () => undefined, history: async () => [] };
  const client = new MonitorClient({ predictions: 'b', reports: 'r' }, files as unknown as S3Files, registry);
  return { client, files };
};

const collect = async <T>(values: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const value of values) {
    all.push(value);
  }
  return all;
};

describe('recorded files', () => {
  const key = (hour: string, name = 'a') => `${PREFIX}${hour}/${name}.jsonl`;

  it('are read from the first hour that can hold rows of the window, in the order of keys, with lines and places', async () => {
    const objects = { [key('2012/03/02/23')]: 'old', [key('2012/03/03/00')]: 'a\r\nb', [key('2026/01/01/00')]: '\uFEFFreplay\n' };
    const { client } = clientOf({ ...objects, 'capture/mlops-bikedemand/other/2012/03/10/00/x.jsonl': 'not ours' });
    const found = await collect(client.captureLines(SPEC, HOURS.start, HOURS.end));
    expect(found.map(({ text }) => text)).toEqual(['a', 'b', 'replay', '']);
    expect(found[1].where).toBe(`${key('2012/03/03/00')}:2`);
  });

  it('of a model without a time column are those of the window\'s hours', async () => {
    const hours = ['2012/03/09/23', '2012/03/10/00', '2012/03/10/23', '2012/03/11/12', '2012/03/13/00'];
    const { client } = clientOf(Object.fromEntries(hours.map((hour) => [key(hour), hour])));
    const spec = { ...SPEC, task: { kind: 'REGRESSION', target: 'cnt' } };
    const found = await collect(client.captureLines(spec, HOURS.start, HOURS.end));
    expect(found.map(({ text }) => text)).toEqual(['2012/03/10/00', '2012/03/10/23', '2012/03/11/12']);
  });

  it('are read ahead, several at a time but not all', async () => {
    const objects = Array.from({ length: 60 }, (_, index) => [key('2012/03/10/00', String(100 + index)), String(index)]);
    const { client, files } = clientOf(Object.fromEntries(objects));
    const found = await collect(client.captureLines(SPEC, HOURS.start, HOURS.end));
    expect(found.map(({ text }) => Number(text))).toEqual(Array.from({ length: 60 }, (_, index) => index));
    expect(files.mostOpen).toBeGreaterThan(1);
    expect(files.mostOpen).toBeLessThanOrEqual(16);
  });
});

describe('files of a training run', () => {
  it('below a prefix are one table, whose header comes once', async () => {
    const files = new MemoryFiles({ 'train/1.csv': '\uFEFFa,b\n1,"x,y"\n', 'train/2.csv': 'a,b\n2,z' }) as unknown as S3Files;
    expect(await collect(new BaselineClient(files).csvRows('s3://b/train'))).toEqual([['a', 'b'], ['1', 'x,y'], ['2', 'z']]);
  });

  it('with different headers are refused', async () => {
    const files = new MemoryFiles({ 'train/1.csv': 'a,b\n1,2\n', 'train/2.csv': 'b,a\n1,2' }) as unknown as S3Files;
    await expect(collect(new BaselineClient(files).csvRows('s3://b/train/'))).rejects.toThrow('another header');
  });

  it('hold scores as numbers, labels, CSV or JSON, a line each', async () => {
    const files = new MemoryFiles({ 's/x.csv.out': '1.5\n2,0.9\n\n[3]\n{"score":4}\nyes\n', 's/manifest': '9' }) as unknown as S3Files;
    expect(await collect(new BaselineClient(files).scores('s3://b/s/'))).toEqual(['1.5', '2', 3, 4, 'yes']);
    const none = new MemoryFiles({ 's/manifest': '9' }) as unknown as S3Files;
    await expect(collect(new BaselineClient(none).scores('s3://b/s'))).rejects.toThrow('left no scores');
  });
});
