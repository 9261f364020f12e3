import { API_PREFIXES } from '../../../lib/platform/contract';
import { TokenClient, TokenRefused } from '../token.client';
import { MlflowError } from './errors';
import { Caller } from './http';

/** What of an HTTP API event says who calls. */
export interface AuthenticatedEvent {
  readonly rawPath: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly requestContext: { readonly requestId: string; readonly authorizer?: { readonly iam?: { readonly userArn?: string | null } | null } };
}

const NEW_TOKEN = 'Get one with: eval "$(npx mlops mlflow-env)"';

/** Changes of a version's state carry the name of who made them into the history: they take a signed request. */
const SIGNED_ONLY = /^\/token\/+(ajax-)?api\/[^/]*\/mlops(\/|$)/;

type Tokens = () => Pick<TokenClient, 'verify'>;

let shared: TokenClient | undefined;
const sharedTokens: Tokens = () => (shared ??= new TokenClient());

/**
 * Who calls. Below `/iam` API Gateway has checked signature and permission of method and path; below `/token` a bearer token says it.
 * Everything else, and everything that fails, is refused.
 */
export const authenticate = async (event: AuthenticatedEvent, tokens: Tokens = sharedTokens): Promise<Caller> => {
  const { rawPath } = event;
  if (rawPath.startsWith(`${API_PREFIXES.iam}/`)) {
    const id = event.requestContext.authorizer?.iam?.userArn;
    if (!id) throw new MlflowError('UNAUTHENTICATED', 'The request carries no IAM identity.');
    return { id, access: 'write', viaToken: false };
  }
  if (!rawPath.startsWith(`${API_PREFIXES.token}/`)) {
    throw new MlflowError('UNAUTHENTICATED', `Paths begin with ${Object.values(API_PREFIXES).join(' or ')}.`);
  }
  const { subject, scope } = await claimsOf(event, tokens);
  if (SIGNED_ONLY.test(rawPath)) {
    throw new MlflowError('PERMISSION_DENIED', 'Permission denied: this call takes a request signed with IAM credentials, no bearer token.');
  }
  return { id: subject, access: scope, viaToken: true };
};

const claimsOf = async (event: AuthenticatedEvent, tokens: Tokens) => {
  const header = Object.entries(event.headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  const token = /^Bearer +([\w.-]+)$/i.exec(header?.trim() ?? '')?.[1];
  if (token === undefined) throw new MlflowError('UNAUTHENTICATED', `A bearer token is missing. ${NEW_TOKEN}`);
  try {
    return await tokens().verify(token);
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error;
    const what = error.reason === 'expired' ? 'The bearer token has expired.' : 'The bearer token is not valid here.';
    throw new MlflowError('UNAUTHENTICATED', `${what} ${NEW_TOKEN}`, { cause: error });
  }
};
