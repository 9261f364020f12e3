import { createHash, createPublicKey, generateKeyPairSync, KeyObject, sign, verify } from 'node:crypto';
import type { KMSClient } from '@aws-sdk/client-kms';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { joseSignature } from '../../../lambda/tracking/token-signature';
import { TokenClient } from '../../../lambda/tracking/token.client';

const KEY = 'arn:aws:kms:eu-west-1:111122223333:key/0a1b';
const SUBJECT = 'arn:aws:sts::111122223333:assumed-role/scientist/ada';
const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 21, 12);

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** AWS KMS with one key; answers signatures in DER, as the service does. */
class FakeKms {
  readonly calls: string[] = [];
  failures = 0;

  async send(command: { constructor: { name: string }; input: Record<string, unknown> }): Promise<unknown> {
    this.calls.push(command.constructor.name);
    expect(command.input.KeyId).toBe(KEY);
    if (this.failures-- > 0) throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    if (command.constructor.name === 'GetPublicKeyCommand') return { PublicKey: pair.publicKey.export({ format: 'der', type: 'spki' }) };
    expect(command.input).toMatchObject({ SigningAlgorithm: 'ECDSA_SHA_256', MessageType: 'DIGEST' });
    return { Signature: signDigest(command.input.Message as Buffer) };
  }
}

/** What is signed must be the digest: found by trying, since Node signs no digests, the message is looked up by it. */
const messages = new Map<string, Buffer>();
const signDigest = (digest: Buffer): Buffer => sign('sha256', messages.get(digest.toString('hex')) as Buffer, pair.privateKey);

const client = (now = START, kms = new FakeKms(), platform = 'mlops') => ({
  kms,
  tokens: new TokenClient(KEY, platform, kms as unknown as KMSClient, () => now),
});

/** Makes the messages known whose digests will be signed: header and claims are determined by subject, scope and time. */
const issue = async (tokens: TokenClient, at = START, scope: 'read' | 'write' = 'write', seconds = 8 * 3600, platform = 'mlops') => {
  const iat = Math.floor(at / 1000);
  const header = { alg: 'ES256', typ: 'JWT', kid: '0a1b' };
  const claims = { iss: 'cdk-mlops', aud: platform, sub: SUBJECT, scope, iat, nbf: iat, exp: iat + seconds };
  const message = Buffer.from([header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.'));
  messages.set(createHash('sha256').update(message).digest('hex'), message);
  return (await tokens.issue({ subject: SUBJECT, scope }, seconds)).token;
};

const forged = (claims: Record<string, unknown>, header: Record<string, unknown> = {}, key: KeyObject = pair.privateKey): Promise<string> => {
  const now = START / 1000;
  return new SignJWT({ iss: 'cdk-mlops', aud: 'mlops', sub: SUBJECT, scope: 'write', iat: now, nbf: now, exp: now + 3600, ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: '0a1b', ...header })
    .sign(key);
};

test('a token says who it was given to and what it allows', async () => {
  const { tokens } = client();
  for (const scope of ['read', 'write'] as const) {
    await expect(tokens.verify(await issue(tokens, START, scope))).resolves.toEqual({ subject: SUBJECT, scope });
  }
});

test('the public key is asked for once, and again after a failure', async () => {
  const { tokens, kms } = client();
  const token = await issue(tokens);
  kms.failures = 1;
  await expect(tokens.verify(token)).rejects.toThrow('slow down');
  await Promise.all([tokens.verify(token), tokens.verify(token)]);
  await tokens.verify(token);
  expect(kms.calls.filter((name) => name === 'GetPublicKeyCommand')).toHaveLength(2);
});

test('a token ends when it says, give or take a minute between two clocks', async () => {
  const token = await issue(client().tokens, START, 'read', 3600);
  const at = (now: number) => client(now).tokens.verify(token);
  await expect(at(START + HOUR + 59_000)).resolves.toBeDefined();
  await expect(at(START + HOUR + 61_000)).rejects.toMatchObject({ name: 'TokenRefused', reason: 'expired' });
  await expect(at(START - 59_000)).resolves.toBeDefined();
  await expect(at(START - 61_000)).rejects.toMatchObject({ reason: 'invalid' });
});

test.each([
  ['another platform', { aud: 'other' }],
  ['another issuer', { iss: 'somebody' }],
  ['no subject', { sub: undefined }],
  ['no scope', { scope: undefined }],
  ['an unknown scope', { scope: 'admin' }],
  ['no end', { exp: undefined }],
  ['no beginning', { nbf: undefined }],
  ['not valid yet', { nbf: START / 1000 + 120 }],
])('a rightly signed token with %s is refused', async (_, claims) => {
  await expect(client().tokens.verify(await forged(claims))).rejects.toMatchObject({ reason: 'invalid' });
});

test('nobody gets a token that lasts longer than twelve hours, whoever signed it', async () => {
  const { tokens } = client();
  await expect(tokens.issue({ subject: SUBJECT, scope: 'read' }, 12 * 3600 + 1)).rejects.toThrow(RangeError);
  await expect(tokens.issue({ subject: SUBJECT, scope: 'read' }, 59)).rejects.toThrow(RangeError);
  await expect(tokens.issue({ subject: SUBJECT, scope: 'read' }, 1.5e3 + 0.5)).rejects.toThrow(RangeError);
  const long = await forged({ exp: START / 1000 + 30 * 24 * 3600 });
  await expect(client(START + 13 * HOUR).tokens.verify(long)).rejects.toMatchObject({ name: 'TokenRefused' });
});

test('only the key and the algorithm of this platform count', async () => {
  const { tokens } = client();
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await expect(tokens.verify(await forged({}, {}, other.privateKey))).rejects.toMatchObject({ reason: 'invalid' });
  await expect(tokens.verify(await forged({}, { kid: 'ffff' }))).rejects.toMatchObject({ reason: 'invalid' });
  const none = [{ alg: 'none', typ: 'JWT' }, { sub: SUBJECT, scope: 'write' }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  await expect(tokens.verify(`${none.join('.')}.`)).rejects.toMatchObject({ reason: 'invalid' });
  const secret = pair.publicKey.export({ format: 'pem', type: 'spki' });
  const confused = await new SignJWT({ sub: SUBJECT, scope: 'write' }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(Buffer.from(secret));
  await expect(tokens.verify(confused)).rejects.toMatchObject({ reason: 'invalid' });
});

test('a token that was changed anywhere is refused', async () => {
  const { tokens } = client();
  const token = await issue(tokens, START, 'read');
  const [header, claims, signature] = token.split('.');
  const widened = Buffer.from(Buffer.from(claims, 'base64url').toString().replace('"read"', '"write"')).toString('base64url');
  await expect(tokens.verify([header, widened, signature].join('.'))).rejects.toMatchObject({ reason: 'invalid' });
  for (const garbage of ['', 'a', 'a.b', 'a.b.c', `${token}.x`, `${header}.${claims}.`, token.slice(0, -4)]) {
    await expect(tokens.verify(garbage)).rejects.toMatchObject({ reason: 'invalid' });
  }
});

describe('signatures', () => {
  test('every signature that Node makes in DER is the same one as JSON Web Tokens write it', () => {
    const publicKey = createPublicKey(pair.privateKey);
    for (let n = 0; n < 300; n++) {
      const message = Buffer.from(`message ${n}`);
      const jose = joseSignature(sign('sha256', message, pair.privateKey));
      expect(jose).toHaveLength(64);
      expect(verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, jose)).toBe(true);
    }
  });

  /** DER by its rules: no leading zeros but one where the first bit is set. */
  const der = (numbers: bigint[]): Buffer => {
    const parts = numbers.map((value) => {
      const hex = value.toString(16);
      const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
      const positive = bytes[0] >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
      return Buffer.concat([Buffer.of(2, positive.length), positive]);
    });
    const body = Buffer.concat(parts);
    return Buffer.concat([Buffer.of(0x30, body.length), body]);
  };
  const below = (bits: bigint) => fc.bigInt({ min: 0n, max: (1n << bits) - 1n });
  const numbers = fc.oneof(below(256n), below(8n), below(248n));

  test('short and long numbers keep their value', () => {
    fc.assert(
      fc.property(numbers, numbers, (r, s) => {
        const jose = joseSignature(der([r, s])).toString('hex');
        expect([BigInt(`0x${jose.slice(0, 64)}`), BigInt(`0x${jose.slice(64)}`)]).toEqual([r, s]);
      }),
    );
  });

  test('what is no such signature is refused, never guessed at', () => {
    const good = der([1n << 255n, 5n]);
    const cut = [...good.keys()].map((end) => good.subarray(0, end));
    const longer = Buffer.concat([good, Buffer.of(0)]);
    const negative = Buffer.of(0x30, 6, 2, 1, 0x80, 2, 1, 1);
    for (const wrong of [...cut, longer, negative, der([1n << 264n, 1n]), der([1n]), der([1n, 2n, 3n])]) {
      expect(() => joseSignature(wrong)).toThrow('no ECDSA signature');
    }
  });
});
