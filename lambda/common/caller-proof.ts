import { createHash } from 'node:crypto';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type CallerProof, PROOF_HEADER } from '../../lib/pipeline/approval/contract';
import { NamedError } from './errors';

/** The request that a proof is the signature of: the same bytes on both sides, so that no part of it is the caller's choice. */
export const PROOF_BODY = 'Action=GetCallerIdentity&Version=2011-06-15';
export const PROOF_CONTENT_TYPE = 'application/x-www-form-urlencoded';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What stands in the signed header: a digest, since a header holds no line breaks and no long texts. */
export const proofDigest = (text: string): string => sha256(text);

/** Headers of the request beside its signature. */
export const proofHeaders = (host: string, text: string): Record<string, string> => ({
  host,
  'content-type': PROOF_CONTENT_TYPE,
  [PROOF_HEADER]: proofDigest(text),
});

interface SignedRequest {
  headers: Record<string, string>;
  body?: unknown;
}

const SCOPE = String.raw`[^/, ]+/\d{8}/[a-z0-9-]+/sts/aws4_request`;
const SIGNATURE = new RegExp(`^AWS4-HMAC-SHA256 Credential=${SCOPE}, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$`);
const NEEDED = ['host', 'x-amz-date', PROOF_HEADER];
const REFUSED = /AccessDenied|ExpiredToken|InvalidAccessKeyId|InvalidClientTokenId|MissingAuthenticationToken|Signature|UnrecognizedClient/;

/**
 * Learns from AWS who somebody is that signed a text: STS is sent the request that the caller has signed for it, with the digest of the text in a
 * signed header. STS answers for whom it holds; it refuses a signature that is older than 15 minutes.
 */
export class CallerProofs {
  constructor(
    private readonly error: string,
    private readonly settings: ConstructorParameters<typeof STSClient>[0] = {},
  ) {}

  /** ARN of the session (or user) that signed the text; anything else than a signature that holds is refused by the given name. */
  public async callerOf(proof: CallerProof, text: string): Promise<string> {
    const [, signed = ''] = SIGNATURE.exec(proof.authorization) ?? [];
    const missing = NEEDED.filter((name) => !signed.split(';').includes(name));
    if (missing.length > 0) throw new NamedError(this.error, `the signature does not cover ${missing.join(', ')}`);
    const { authorization, date, securityToken } = proof;
    const sign = async (request: SignedRequest): Promise<SignedRequest> => ({
      ...request,
      body: PROOF_BODY,
      headers: {
        ...proofHeaders(request.headers.host, text),
        'content-length': String(PROOF_BODY.length),
        'x-amz-content-sha256': sha256(PROOF_BODY),
        authorization,
        'x-amz-date': date,
        ...(securityToken === undefined ? {} : { 'x-amz-security-token': securityToken }),
      },
    });
    const client = new STSClient({ ...this.settings, signer: { sign } as never });
    try {
      const { Arn } = await client.send(new GetCallerIdentityCommand({}));
      if (!Arn) throw new NamedError(this.error, 'AWS did not say whose signature it is');
      return Arn;
    } catch (error) {
      const { name, message } = error as Error;
      if (!REFUSED.test(name)) throw error;
      throw new NamedError(this.error, `AWS does not take the signature of this decision for the caller's: ${message}`);
    } finally {
      client.destroy();
    }
  }
}
