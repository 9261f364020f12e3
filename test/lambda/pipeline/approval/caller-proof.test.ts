import { prove } from '../../../../cli/prove';
import { CallerProofs } from '../../../../lambda/common/caller-proof';

const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };
const proofs = new CallerProofs('NotProven', { region: 'eu-west-1', credentials, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 });

test('a decision is signed for the region’s own STS, with the digest of what is decided among the signed headers', async () => {
  const { authorization, securityToken } = await prove({ region: 'eu-central-1', credentials } as never, 'text');
  expect(authorization).toMatch(/Credential=AKIAEXAMPLE\/\d{8}\/eu-central-1\/sts\/aws4_request/);
  expect(authorization).toMatch(/SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-mlops-decision,/);
  expect(securityToken).toBe('token');
});

/** Otherwise a signature that somebody made for another purpose would do for any decision. */
test('a signature that does not cover the digest, the host or the time is refused before AWS is asked', async () => {
  const proof = await prove({ region: 'eu-west-1', credentials } as never, 'text');
  for (const name of ['x-mlops-decision', 'host', 'x-amz-date']) {
    const authorization = proof.authorization.replace(new RegExp(`(=|;)${name}(;|,)`), '$1x-other$2');
    await expect(proofs.callerOf({ ...proof, authorization }, 'text')).rejects.toMatchObject({ name: 'NotProven' });
  }
  for (const authorization of ['', 'Bearer x', proof.authorization.replace('/sts/', '/s3/'), `${proof.authorization}, x`]) {
    await expect(proofs.callerOf({ ...proof, authorization }, 'text')).rejects.toThrow(/does not cover/);
  }
});

test('a network that fails is no refusal', async () => {
  const proof = await prove({ region: 'eu-west-1', credentials } as never, 'text');
  await expect(proofs.callerOf(proof, 'text')).rejects.not.toMatchObject({ name: 'NotProven' });
});
