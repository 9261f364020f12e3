import { CompleteMultipartUploadCommand, CreateMultipartUploadCommand, S3ServiceException } from '@aws-sdk/client-s3';
import { BUCKET, MemoryApi } from '../api';

const PROXY = '/api/2.0/mlflow-artifacts';

const api = new MemoryApi();
let runId: string;

const get = async (path: string) => {
  const { status, headers, bytes } = await api.call({ method: 'GET', path });
  return { status, headers, text: bytes.toString() };
};
const put = (path: string, body: Buffer) => api.call({ method: 'PUT', path: `${PROXY}/artifacts/${path}`, body });

beforeAll(async () => {
  const { body } = await api.json('POST', 'experiments/create', { name: 'e' });
  runId = (await api.json('POST', 'runs/create', { experiment_id: body.experiment_id })).body.run.info.run_id;
  const root = (await api.json('GET', `runs/get?run_id=${runId}`)).body.run.info.artifact_uri as string;
  const key = root.replace('s3://', '');
  api.bucket.objects.set(`${key}/model/MLmodel`, 'flavors: {}');
  api.bucket.objects.set(`${key}/notes.txt`, 'hello');
  api.bucket.objects.set(`${BUCKET}/runs/secret/model.tar.gz`, 'secret');
});

test('files go through the API to the byte, below mlflow/', async () => {
  const bytes = Buffer.from([0, 255, 128, 10, 13, 200]);
  expect((await put('7/a%20b/model.bin', bytes)).status).toBe(200);
  expect(api.bucket.objects.has(`${BUCKET}/mlflow/7/a b/model.bin`)).toBe(true);
  const back = await api.call({ method: 'GET', path: `${PROXY}/artifacts/7/a%20b/model.bin` });
  expect(back.bytes.equals(bytes)).toBe(true);
  expect(back.headers).toMatchObject({ 'content-disposition': 'attachment; filename="model.bin"', 'x-content-type-options': 'nosniff' });
});

test('a listing tells names relative to what was asked for, and nothing of what is absent', async () => {
  await put('8/d/x.txt', Buffer.from('x'));
  await put('8/y.txt', Buffer.alloc(0));
  const listing = JSON.parse((await get(`${PROXY}/artifacts?path=8`)).text) as object;
  expect(listing).toEqual({ files: [{ path: 'd', is_dir: true }, { path: 'y.txt', is_dir: false }] });
  expect((await get(`${PROXY}/artifacts?path=nothing`)).text).toBe('{}');
});

test('directories and what is absent are not found', async () => {
  await put('9/d/x.txt', Buffer.from('x'));
  for (const path of ['9/d', '9/nothing']) {
    const { status, text } = await get(`${PROXY}/artifacts/${path}`);
    expect([status, (JSON.parse(text) as { error_code: string }).error_code]).toEqual([404, 'RESOURCE_DOES_NOT_EXIST']);
  }
});

test('deleting takes a directory with everything in it, its neighbours stay, and absence is no error', async () => {
  for (const path of ['10/a/x', '10/a/b/y', '10/ab']) await put(path, Buffer.from('1'));
  const remove = (path: string) => api.call({ method: 'DELETE', path: `${PROXY}/artifacts/${path}` });
  expect((await remove('10/a')).status).toBe(200);
  expect([...api.bucket.objects.keys()].filter((key) => key.includes('mlflow/10/'))).toEqual([`${BUCKET}/mlflow/10/ab`]);
  expect((await remove('10/a')).status).toBe(200);
});

test.each(['../x', '%252e%252e/x', 'a/..%2f..%2fx'])('%s leads nowhere', async (path) => {
  const { status, text } = await get(`${PROXY}/artifacts/${encodeURIComponent(path)}`);
  expect([status, (JSON.parse(text) as { message: string }).message]).toEqual([400, 'Invalid path']);
});

test('what is larger than an answer comes by an address of S3', async () => {
  await put('11/large.bin', Buffer.alloc(4_000_001));
  const { status, headers } = await get(`${PROXY}/artifacts/11/large.bin`);
  expect(status).toBe(307);
  expect(headers.location).toMatch(/^https:\/\/artifacts\.s3\..*\/mlflow\/11\/large\.bin\?.*X-Amz-Signature=/);
});

test('a presigned download tells the size, without which the client would not read in ranges', async () => {
  await put('12/f', Buffer.from('12345'));
  expect(JSON.parse((await get(`${PROXY}/presigned/12/f`)).text)).toMatchObject({ headers: {}, file_size: 5 });
  expect((await get(`${PROXY}/presigned/12/none`)).status).toBe(404);
});

test("a run's artifacts are listed and read by its id", async () => {
  const root = (await api.json('GET', `artifacts/list?run_id=${runId}`)).body;
  expect(root.files).toEqual([{ path: 'model', is_dir: true }, { path: 'notes.txt', is_dir: false, file_size: 5 }]);
  const inner = (await api.json('GET', `artifacts/list?run_uuid=${runId}&path=model`)).body;
  expect(inner.files).toEqual([{ path: 'model/MLmodel', is_dir: false, file_size: 11 }]);
  expect((await get(`/get-artifact?run_id=${runId}&path=notes.txt`)).text).toBe('hello');
  expect((await get(`/get-artifact?run_id=${runId}&path=nothing`)).status).toBe(404);
  expect((await get(`/get-artifact?run_id=${runId}&path=../x`)).status).toBe(400);
});

test('no run that a caller makes opens what only the API may read', async () => {
  for (const location of [`s3://${BUCKET}/runs/secret`, `s3://${BUCKET}`, `s3://${BUCKET}/mlflow/../runs/secret`]) {
    const made = await api.json('POST', 'experiments/create', { name: location, artifact_location: location });
    const run = await api.json('POST', 'runs/create', { experiment_id: made.body.experiment_id });
    const id = run.body.run.info.run_id as string;
    const { status, text } = await get(`/get-artifact?run_id=${id}&path=../../model.tar.gz`);
    expect(status).toBe(400);
    expect(text).not.toContain('secret"');
    expect((await api.json('GET', `artifacts/list?run_id=${id}`)).status).toBe(400);
  }
});

test("a logged model's and a version's files are read by their ids", async () => {
  const experiment = (await api.json('POST', 'experiments/create', { name: 'models' })).body.experiment_id as string;
  const { info } = (await api.json('POST', 'logged-models', { experiment_id: experiment })).body.model as { info: Record<string, string> };
  api.bucket.objects.set(`${info.artifact_uri.replace('s3://', '')}/MLmodel`, 'flavors');
  const of = `/api/2.0/mlflow/logged-models/${info.model_id}/artifacts`;
  expect((await get(`${of}/files?artifact_file_path=MLmodel`)).text).toBe('flavors');
  expect(JSON.parse((await get(`${of}/directories`)).text)).toMatchObject({ files: [{ path: 'MLmodel', is_dir: false }] });
  await api.json('POST', 'registered-models/create', { name: 'm' });
  await api.json('POST', 'model-versions/create', { name: 'm', source: `models:/${info.model_id}`, model_id: info.model_id });
  expect((await get('/model-versions/get-artifact?name=m&version=1&path=MLmodel')).text).toBe('flavors');
  expect((await get('/model-versions/get-artifact?name=m&version=2&path=MLmodel')).status).toBe(404);
});

test('addresses of S3 for a file of a run or logged model hold as long as asked for, and stay below its root', async () => {
  const up = await api.json('POST', 'artifacts/presigned-upload-url', { run_id: runId, path: 'a/b c.bin', expiration: 60 });
  expect(up.body.presigned_url).toMatch(/\/artifacts\/a\/b%20c\.bin\?.*X-Amz-Expires=60/);
  expect(up.body.presigned_url).not.toMatch(/checksum/i);
  const down = await api.json('POST', 'artifacts/presigned-download-url', { run_id: runId, path: 'notes.txt' });
  expect(down.body).toMatchObject({ presigned_url: expect.stringContaining('/notes.txt?') as string, file_size: 5 });
  expect((await api.json('POST', 'artifacts/presigned-download-url', { run_id: runId, path: 'nothing' })).status).toBe(404);
  const run = { run_id: runId };
  const refused = [{ path: 'x' }, { ...run, model_id: 'm', path: 'x' }, { ...run, path: '../x' }, { ...run, path: 'x', expiration: 0 }];
  for (const body of refused) {
    expect((await api.json('POST', 'artifacts/presigned-upload-url', body)).status).toBe(400);
  }
});

describe('uploads in parts', () => {
  const mpu = (step: string, body: object, directory = '13/model') =>
    api.call({
      method: 'POST',
      path: `${PROXY}/mpu/${step}/${directory}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  test('every part has an address of its own, which carries no checksum of nothing', async () => {
    const answer = await mpu('create', { path: '/home/me/weights.bin', num_parts: 3 });
    const { upload_id: uploadId, credentials } = JSON.parse(answer.bytes.toString()) as { upload_id: string; credentials: Record<string, unknown>[] };
    expect(uploadId).toBe('upload-1');
    expect(credentials.map(({ part_number: number }) => number)).toEqual([1, 2, 3]);
    expect(credentials[1].url).toMatch(/\/mlflow\/13\/model\/weights\.bin\?.*partNumber=2/);
    expect(credentials[1].url).not.toMatch(/checksum/i);
  });

  test('more parts than an answer holds are refused with the setting that helps', async () => {
    const answer = await mpu('create', { path: 'x', num_parts: 2001 });
    expect(answer.bytes.toString()).toContain('MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE');
  });

  test('parts are completed in order, whatever order they came in', async () => {
    const begun = async (): Promise<string> => {
      const answer = await mpu('create', { path: 'w', num_parts: 2 });
      return (JSON.parse(answer.bytes.toString()) as { upload_id: string }).upload_id;
    };
    const [uploadId, other] = [await begun(), await begun()];
    const seen: unknown[] = [];
    api.bucket.before = (command) => {
      if (command instanceof CompleteMultipartUploadCommand) seen.push(command.input.Key, command.input.MultipartUpload?.Parts);
      if (command instanceof CreateMultipartUploadCommand) throw new Error('not asked for');
    };
    const parts = [
      { part_number: 2, etag: 'b' },
      { part_number: 1, etag: 'a' },
    ];
    expect((await mpu('complete', { path: 'w', upload_id: uploadId, parts })).status).toBe(200);
    expect(seen).toEqual(['mlflow/13/model/w', [{ PartNumber: 1, ETag: 'a' }, { PartNumber: 2, ETag: 'b' }]]);
    expect((await mpu('abort', { path: 'w', upload_id: other })).status).toBe(200);
    api.bucket.before = () => undefined;
  });

  test("an upload that is over is the caller's fault", async () => {
    api.bucket.before = () => {
      throw new S3ServiceException({ name: 'NoSuchUpload', message: '', $fault: 'client', $metadata: { httpStatusCode: 404 } });
    };
    const { status, bytes } = await mpu('complete', { path: 'w', upload_id: 'u', parts: [{ part_number: 1, etag: 'a' }] });
    api.bucket.before = () => undefined;
    expect([status, bytes.toString()]).toEqual([400, expect.stringContaining('no such upload')]);
  });

  test('a name cannot lead out of the directory', async () => {
    expect((await mpu('create', { path: '..', num_parts: 1 })).status).toBe(400);
    expect((await mpu('create', { path: '', num_parts: 1 })).status).toBe(400);
  });
});
