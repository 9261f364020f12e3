import { createHash, createPublicKey, KeyObject } from 'node:crypto';
import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { errors, jwtVerify } from 'jose';
import { COMMON_ENV } from '../../lib/common/contract';
import { API_ENV, TOKEN_SCOPES, TOKEN_SECONDS, TokenScope } from '../../lib/platform/contract';
import { requireEnv } from '../common/env';
import { joseSignature } from './token-signature';

const ISSUER = 'cdk-mlops';
const ALGORITHM = 'ES256';
/** Clocks of two machines may differ by so much. */
const SKEW_SECONDS = 60;

export interface IssuedToken {
  readonly token: string;
  /** ms since 1970. */
  readonly expiresAt: number;
}

export interface TokenClaims {
  /** ARN of whoever the token was given to. */
  readonly subject: string;
  readonly scope: TokenScope;
}

/** The token is none that this platform gives, or not valid now. */
export class TokenRefused extends Error {
  constructor(
    readonly reason: 'expired' | 'invalid',
    cause?: unknown,
  ) {
    super(`the token is ${reason}`, { cause });
    this.name = 'TokenRefused';
  }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Bearer tokens: JSON Web Tokens signed by AWS KMS, whose private half nobody has. Checking one asks nobody: the public half is read once. */
export class TokenClient {
  private publicKey?: Promise<KeyObject>;

  constructor(
    private readonly keyArn: string = requireEnv(API_ENV.tokenKey),
    private readonly platform: string = requireEnv(COMMON_ENV.platform),
    private readonly kms: KMSClient = new KMSClient({}),
    private readonly now: () => number = Date.now,
  ) {}

  async issue({ subject, scope }: TokenClaims, seconds: number = TOKEN_SECONDS.standard): Promise<IssuedToken> {
    if (!Number.isInteger(seconds) || seconds < TOKEN_SECONDS.minimum || seconds > TOKEN_SECONDS.maximum) {
      throw new RangeError(`a token lasts ${TOKEN_SECONDS.minimum} to ${TOKEN_SECONDS.maximum} seconds, not ${seconds}`);
    }
    const at = Math.floor(this.now() / 1000);
    const claims = { iss: ISSUER, aud: this.platform, sub: subject, scope, iat: at, nbf: at, exp: at + seconds };
    const signed = `${encoded({ alg: ALGORITHM, typ: 'JWT', kid: this.keyId })}.${encoded(claims)}`;
    const { Signature } = await this.kms.send(
      new SignCommand({
        KeyId: this.keyArn,
        SigningAlgorithm: 'ECDSA_SHA_256',
        MessageType: 'DIGEST',
        Message: createHash('sha256').update(signed).digest(),
      }),
    );
    if (!Signature) throw new Error('AWS KMS answered without a signature');
    return { token: `${signed}.${joseSignature(Signature).toString('base64url')}`, expiresAt: claims.exp * 1000 };
  }

  async verify(token: string): Promise<TokenClaims> {
    const key = await this.key();
    try {
      const { payload, protectedHeader } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: this.platform,
        typ: 'JWT',
        requiredClaims: ['sub', 'scope', 'iat', 'nbf', 'exp'],
        clockTolerance: SKEW_SECONDS,
        maxTokenAge: TOKEN_SECONDS.maximum,
        currentDate: new Date(this.now()),
      });
      const { sub, scope } = payload;
      const known = TOKEN_SCOPES.find((one) => one === scope);
      if (!sub || !known || protectedHeader.kid !== this.keyId) throw new TokenRefused('invalid');
      return { subject: sub, scope: known };
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new TokenRefused('expired', error);
      if (error instanceof errors.JOSEError) throw new TokenRefused('invalid', error);
      throw error;
    }
  }

  private get keyId(): string {
    return this.keyArn.slice(this.keyArn.lastIndexOf('/') + 1);
  }

  private key(): Promise<KeyObject> {
    // A failure is not kept: the next request asks again.
    this.publicKey ??= this.fetchKey().catch((error: unknown) => {
      this.publicKey = undefined;
      throw error;
    });
    return this.publicKey;
  }

  private async fetchKey(): Promise<KeyObject> {
    const { PublicKey } = await this.kms.send(new GetPublicKeyCommand({ KeyId: this.keyArn }));
    if (!PublicKey) throw new Error('AWS KMS answered without a key');
    return createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
  }
}
