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
