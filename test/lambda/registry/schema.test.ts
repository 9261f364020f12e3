import { Readable } from 'node:stream';
import { readSchema } from '../../../lambda/registry/schema';

const csv = (text: string): Readable => Readable.from([Buffer.from(text)]);

test('a request row has every column but the target, in order, with the type that its values show', async () => {
  const text = 'at,n,gap,word,empty,y\n2026-01-01T00:00:00Z,1,,3,,1\n2026-01-02T00:00:00Z,-2.5e3,7,x,,0\n';
  expect(await readSchema(csv(text), ['at', 'n', 'gap', 'word', 'empty', 'y'], 'y', 'at')).toEqual({
    columns: [
      { name: 'at', type: 'timestamp' },
      { name: 'n', type: 'number' },
      { name: 'gap', type: 'number' },
      { name: 'word', type: 'string' },
      { name: 'empty', type: 'string' },
    ],
    target: 'y',
    timeColumn: 'at',
  });
});

test('stops reading a file that is larger than the sample', async () => {
  let produced = 0;
  const endless = Readable.from(
    (function* () {
      yield 'a,y\n';
      for (;;) {
        produced += 1;
        yield '1,2\n'.repeat(1000);
      }
    })(),
  );
  const schema = await readSchema(endless, ['a', 'y'], 'y');
  expect(schema.columns).toEqual([{ name: 'a', type: 'number' }]);
  expect(produced).toBeLessThan(200);
});

test('fails when the file cannot be read to its end', async () => {
  const broken = new Readable({ read() { this.destroy(new Error('connection lost')); } });
  await expect(readSchema(broken, ['a'], 'y')).rejects.toThrow('connection lost');
});
