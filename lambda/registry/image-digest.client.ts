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
const GONE: readonly string[] = ['ImageNotFound', 'ImageTagDoesNotMatchDigest'];

interface Answer {
  readonly images?: readonly { readonly imageId?: { readonly imageDigest?: string } }[];
  readonly failures?: readonly { readonly failureCode?: string }[];
}

/** What a registry answers to the request for an image; one call of one API, which needs no client of its own in the bundle. */
export class ImageDigestClient {
  constructor(
    private readonly request: typeof fetch = fetch,
    private readonly credentials = new S3Client({}).config.credentials,
  ) {}

  /**
   * Whether an image can still be had, and by which name: by its digest where the tag means another image by now. `unknown` where no registry that
   * can be read tells it. A repository that is not found is gone only in the own account: other accounts may hide theirs.
   */
  async find(
    image: string,
    recordedDigest: string | undefined,
    ownAccount: string,
  ): Promise<{ readonly state: 'present' | 'gone' | 'unknown'; readonly image: string }> {
    const [, registryId, region, domain, repositoryName, imageTag = 'latest', namedDigest] = ECR.exec(image) ?? [];
    if (registryId === undefined) return { state: 'unknown', image };
    const imageDigest = recordedDigest ?? namedDigest;
    const ask = (id: object) => this.batchGetImage(region, domain, { registryId, repositoryName, imageIds: [id], acceptedMediaTypes: MANIFESTS });
    try {
      const { images = [], failures = [] } = await ask(imageDigest ? { imageDigest } : { imageTag });
      if (images.length === 0) return { state: failures.some(({ failureCode = '' }) => GONE.includes(failureCode)) ? 'gone' : 'unknown', image };
      if (imageDigest === undefined || namedDigest !== undefined) return { state: 'present', image };
      const tagged = (await ask({ imageTag })).images?.[0]?.imageId?.imageDigest;
      return { state: 'present', image: tagged === imageDigest ? image : `${image.replace(/:[^:/]*$/, '')}@${imageDigest}` };
    } catch (error) {
      const gone = registryId === ownAccount && (error as Error).message.includes('RepositoryNotFoundException');
      return { state: gone ? 'gone' : 'unknown', image };
    }
  }

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

  private async batchGetImage(region: string, domain: string, body: object): Promise<Answer> {
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
    if (!answer.ok) throw new Error(`ECR answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Answer;
  }
}
