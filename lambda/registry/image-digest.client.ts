import { Sha256 } from '@aws-crypto/sha256-js';
import { S3Client } from '@aws-sdk/client-s3';
import { SignatureV4 } from '@smithy/signature-v4';

const ECR = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.(amazonaws\.com(?:\.cn)?)\/([^:@]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]{64}))?$/;
const ACTION = 'AmazonEC2ContainerRegistry_V20150921.BatchGetImage';
const MANIFESTS = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
];
const PATIENCE_MS = 5_000;

/** What a registry answers to the request for an image; one call of one API, which needs no client of its own in the bundle. */
export class ImageDigestClient {
  constructor(
    private readonly request: typeof fetch = fetch,
    private readonly credentials = new S3Client({}).config.credentials,
  ) {}

  /** `sha256:…` of the image that the tag means now; undefined where no registry tells it. */
  async digestOf(image: string): Promise<string | undefined> {
    const [, registryId, region, domain, repositoryName, imageTag = 'latest', digest] = ECR.exec(image) ?? [];
    if (digest !== undefined || registryId === undefined) return digest;
    try {
      const found = await this.batchGetImage(region, domain, {
        registryId,
        repositoryName,
        imageIds: [{ imageTag }],
        acceptedMediaTypes: MANIFESTS,
      });
      return found.images?.[0]?.imageId?.imageDigest;
    } catch {
      // The record says that the digest is unknown; a registry that does not answer is no reason to lose the version.
      return undefined;
    }
  }

  private async batchGetImage(region: string, domain: string, body: object): Promise<{ images?: { imageId?: { imageDigest?: string } }[] }> {
    const endpoint = process.env.AWS_ENDPOINT_URL_ECR ?? process.env.AWS_ENDPOINT_URL;
    const url = new URL(endpoint ?? `https://api.ecr.${region}.${domain}/`);
    const signer = new SignatureV4({ service: 'ecr', region, credentials: this.credentials, sha256: Sha256 });
    const text = JSON.stringify(body);
    const { headers } = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      port: url.port === '' ? undefined : Number(url.port),
      path: url.pathname,
      query: {},
      headers: { host: url.host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': ACTION },
      body: text,
    });
    const answer = await this.request(url, { method: 'POST', headers, body: text, signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!answer.ok) throw new Error(`ECR answered ${answer.status}`);
    return (await answer.json()) as { images?: { imageId?: { imageDigest?: string } }[] };
  }
}
