import * as fc from 'fast-check';
import { contentTypeOf, dispositionOf, joined, keyOfRoot, proxiedKey, safePath } from '../../../../lambda/tracking/mlflow/artifact-paths';

const BUCKET = 'artifacts';

describe('paths of artifacts', () => {
  test.each(['../x', 'a/../b', '/etc/passwd', 'a\\b', 'a#b', 'C:/x', 'file:///x', '%2e%2e/x', 'a/%252e%252e/b', '%2fetc', 'a\0b', 'a%00b', '%2E%2e/%', '%2e%2e/%ff'])(
    '%j is refused',
    (path) => {
      expect(() => safePath(path)).toThrow('Invalid path');
    },
  );

  test.each([
    ['model/MLmodel', 'model/MLmodel'],
    ['./a//b/', 'a/b'],
    ['100% sure.txt', '100% sure.txt'],
    ['naïve/数据.csv', 'naïve/数据.csv'],
    ['..a/b..', '..a/b..'],
    ['', ''],
  ])('%j is taken as %j', (path, taken) => {
    expect(safePath(path)).toBe(taken);
  });

  test('whatever is taken stays below its root, however often it is decoded', () => {
    const tricks = fc.constantFrom('..', '.', '', '%2e', '%2E%2e', '%2f', '%252f', '/', '\\', 'a', 'b c', '%25');
    const piece = fc.oneof(tricks, fc.string({ maxLength: 5 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.constantFrom('/', ''), (pieces, separator) => {
        let taken: string;
        try {
          taken = safePath(pieces.join(separator));
        } catch {
          return;
        }
        for (let text = taken, before = ''; text !== before; ) {
          expect(new URL(`http://host/root/${text.replace(/[?#]/g, '_')}`).pathname.startsWith('/root/')).toBe(true);
          before = text;
          text = text.replace(/%[0-7][0-9a-f]/gi, (escape) => decodeURIComponent(escape));
        }
      }),
    );
  });

  test('roots that a caller may have named lie below mlflow/, those that a pipeline recorded also below runs/', () => {
    expect(keyOfRoot('s3://artifacts/mlflow/7/r/artifacts', BUCKET, false)).toBe('mlflow/7/r/artifacts');
    expect(keyOfRoot('mlflow-artifacts:/7/r', BUCKET, false)).toBe('mlflow/7/r');
    expect(keyOfRoot('s3://artifacts/runs/bikes/r-1/', BUCKET, true)).toBe('runs/bikes/r-1');
    for (const uri of ['s3://artifacts/runs/bikes/r-1', 's3://artifacts/', 's3://other/mlflow/x', 's3://artifacts/mlflow-other/x', '/tmp/x', 'dbfs:/x']) {
      expect(() => keyOfRoot(uri, BUCKET, false)).toThrow('outside of this platform');
    }
    expect(() => keyOfRoot('s3://artifacts/mlflow/../runs/x', BUCKET, false)).toThrow('Invalid path');
    expect(() => keyOfRoot('s3://artifacts/data/x', BUCKET, true)).toThrow('outside of this platform');
  });

  test('the proxied scheme means the same with and without a host', () => {
    expect(proxiedKey('mlflow-artifacts:/a/b')).toBe('mlflow/a/b');
    expect(proxiedKey('mlflow-artifacts://host:5000/a/b')).toBe('mlflow/a/b');
    expect(proxiedKey('s3://a/b')).toBeUndefined();
    expect(() => proxiedKey('mlflow-artifacts:/../b')).toThrow('Invalid path');
    expect(joined('a', '')).toBe('a');
  });
});

describe('how a browser takes an artifact', () => {
  test('as text where people read it, always as an attachment', () => {
    expect(contentTypeOf('model/MLmodel')).toBe('text/plain');
    expect(contentTypeOf('a/report.html')).toBe('text/html');
    expect(contentTypeOf('plot.PNG')).toBe('image/png');
    expect(contentTypeOf('model.skops')).toBe('application/octet-stream');
    expect(dispositionOf('a/b.txt')).toBe('attachment; filename="b.txt"');
  });

  test('names cannot end the header', () => {
    expect(dispositionOf('a"; x="\r\n.txt')).toMatch(/^attachment; filename="[^"\r\n]*"; filename\*=UTF-8''[\w.%-]*$/);
    expect(dispositionOf('数.csv')).toBe('attachment; filename="_.csv"; filename*=UTF-8\'\'%E6%95%B0.csv');
  });
});
