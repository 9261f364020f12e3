import { ImageDigestClient } from '../../../lambda/registry/image-digest.client';

process.env.AWS_REGION = 'eu-west-1';

const IMAGE = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5';
const DIGEST = `sha256:${'a'.repeat(64)}`;
const credentials = async () => ({ accessKeyId: 'test', secretAccessKey: 'test' });

const asking = (answer: () => Response | Promise<Response>) => {
  const request = jest.fn(async (..._: Parameters<typeof fetch>) => answer());
  return { request, client: new ImageDigestClient(request, credentials) };
};

beforeEach(() => {
  delete process.env.AWS_ENDPOINT_URL;
  delete process.env.AWS_ENDPOINT_URL_ECR;
});

test('the registry of the image, in its account and region, is asked what its tag means', async () => {
  const { client, request } = asking(() => Response.json({ images: [{ imageId: { imageTag: '3.0-5', imageDigest: DIGEST } }] }));
  expect(await client.digestOf(IMAGE)).toBe(DIGEST);
  const [url, { headers, body }] = request.mock.calls[0] as unknown as [URL, { headers: Record<string, string>; body: string }];
  expect(url.href).toBe('https://api.ecr.us-east-1.amazonaws.com/');
  expect(headers['x-amz-target']).toBe('AmazonEC2ContainerRegistry_V20150921.BatchGetImage');
  expect(headers.authorization).toContain('/us-east-1/ecr/aws4_request');
  expect(JSON.parse(body)).toMatchObject({
    ...{ registryId: '683313688378', repositoryName: 'sagemaker-xgboost', imageIds: [{ imageTag: '3.0-5' }] },
  });
});

test('an image that is named by its digest needs no registry', async () => {
  const { client, request } = asking(() => new Response());
  expect(await client.digestOf(`683313688378.dkr.ecr.us-east-1.amazonaws.com/own/image@${DIGEST}`)).toBe(DIGEST);
  expect(request).not.toHaveBeenCalled();
});

test('images elsewhere are not asked for', async () => {
  const { client, request } = asking(() => new Response());
  expect(await client.digestOf('docker.io/library/python:3.11')).toBeUndefined();
  expect(request).not.toHaveBeenCalled();
});

test.each<[string, () => Response | Promise<Response>]>([
  ['refuses', () => new Response('{"__type":"AccessDeniedException"}', { status: 400 })],
  ['does not know the tag', () => Response.json({ images: [], failures: [{ failureCode: 'ImageNotFound' }] })],
  ['does not answer', () => Promise.reject(new Error('ETIMEDOUT'))],
])('where the registry %s, the digest is unknown and the version is kept', async (_, answer) => {
  expect(await asking(answer).client.digestOf(IMAGE)).toBeUndefined();
});

describe('an image that a version is made from', () => {
  const OWN = '683313688378';
  const found = (...digests: string[]) => Response.json({ images: digests.map((imageDigest) => ({ imageId: { imageDigest } })) });
  const gone = () => Response.json({ images: [], failures: [{ failureCode: 'ImageNotFound' }] });
  const OTHER = `sha256:${'b'.repeat(64)}`;

  test('is had by its tag while that means the recorded digest', async () => {
    expect(await asking(() => found(DIGEST)).client.find(IMAGE, DIGEST, OWN)).toEqual({ state: 'present', image: IMAGE });
    expect(await asking(() => found(DIGEST)).client.find(IMAGE, undefined, OWN)).toEqual({ state: 'present', image: IMAGE });
  });

  test('is had by its digest where the tag means another image by now', async () => {
    const answers = [found(DIGEST), found(OTHER)];
    const { client, request } = asking(() => answers.shift()!);
    const image = `683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost@${DIGEST}`;
    expect(await client.find(IMAGE, DIGEST, OWN)).toEqual({ state: 'present', image });
    expect(JSON.parse(request.mock.calls[0][1]!.body as string)).toMatchObject({ imageIds: [{ imageDigest: DIGEST }] });
  });

  test('is gone where its registry does not know it, or its own account has no such repository', async () => {
    const without = () => new Response('{"__type":"RepositoryNotFoundException"}', { status: 400 });
    expect((await asking(gone).client.find(IMAGE, DIGEST, OWN)).state).toBe('gone');
    expect((await asking(without).client.find(IMAGE, DIGEST, OWN)).state).toBe('gone');
    expect((await asking(without).client.find(IMAGE, DIGEST, '111122223333')).state).toBe('unknown');
  });

  test('is not known of where nobody tells', async () => {
    const refused = () => new Response('{"__type":"AccessDeniedException"}', { status: 400 });
    expect((await asking(refused).client.find(IMAGE, DIGEST, OWN)).state).toBe('unknown');
    expect((await asking(gone).client.find('xgboost:3.0-5', undefined, OWN)).state).toBe('unknown');
  });
});
