import { Sha256 } from '@aws-crypto/sha256-js';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';
import { PROOF_BODY, proofHeaders } from '../lambda/common/caller-proof';
import type { CallerProof } from '../lib/pipeline/approval/contract';
import type { Connection } from './platform';

interface Request {
  readonly headers: Record<string, string>;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
}

class Captured extends Error {
  constructor(readonly request: Request) {
    super('captured');
  }
}

/** Where the SDK would send the request: the signature holds for that address only. */
const addressOf = async (connection: Connection): Promise<{ readonly client: STSClient; readonly request: Request }> => {
  const client = new STSClient({ ...connection, maxAttempts: 1 });
  client.middlewareStack.add(
    () => async (args) => {
      throw new Captured(args.request as Request);
    },
    { step: 'finalizeRequest', name: 'capture', priority: 'low' },
  );
  try {
    const command = new GetCallerIdentityCommand({});
    await command.resolveMiddleware(client.middlewareStack, client.config, {})(command);
  } catch (error) {
    if (error instanceof Captured) return { client, request: error.request };
    throw error;
  }
  throw new Error('the request was not captured');
};

/** Signs a text in the name of whoever runs the command: a request for STS that nobody else can make, good for 15 minutes. */
export const prove = async (connection: Connection, text: string): Promise<CallerProof> => {
  const { client, request } = await addressOf(connection);
  const { region, credentials } = client.config;
  const signer = new SignatureV4({ service: 'sts', region, credentials, sha256: Sha256 });
  const { protocol, hostname, port, path, headers } = request;
  const signed = await signer.sign({
    method: 'POST',
    protocol,
    hostname,
    port,
    path,
    query: {},
    headers: proofHeaders(headers.host, text),
    body: PROOF_BODY,
  });
  return {
    authorization: signed.headers.authorization,
    date: signed.headers['x-amz-date'],
    ...(signed.headers['x-amz-security-token'] === undefined ? {} : { securityToken: signed.headers['x-amz-security-token'] }),
  };
};
