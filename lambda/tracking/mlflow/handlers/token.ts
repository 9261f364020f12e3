import * as z from 'zod';
import { TOKEN_SCOPES, TOKEN_SECONDS } from '../../../../lib/platform/contract';
import { TokenClient } from '../../token.client';
import { invalid, MlflowError } from '../errors';
import { Route } from '../router';

const Body = z.object({ seconds: z.number().int().min(TOKEN_SECONDS.minimum).max(TOKEN_SECONDS.maximum).default(TOKEN_SECONDS.standard) });

let shared: TokenClient | undefined;

/** One path for each scope, so that IAM decides who gets which. */
export const createTokenRoutes = (tokens: () => Pick<TokenClient, 'issue'>): readonly Route[] =>
  TOKEN_SCOPES.map((scope) => ({
    method: 'POST',
    path: `/token/${scope}`,
    access: scope,
    handle: async (request) => {
      const { id, viaToken } = request.caller;
      // A token that begets tokens would never end.
      if (viaToken) throw new MlflowError('PERMISSION_DENIED', 'Permission denied: tokens are given for signed requests alone.');
      const body = Body.safeParse(request.json());
      if (!body.success) throw invalid(`Invalid value for parameter 'seconds': ${TOKEN_SECONDS.minimum} to ${TOKEN_SECONDS.maximum} are allowed.`);
      const { token, expiresAt } = await tokens().issue({ subject: id, scope }, body.data.seconds);
      return { token, scope, subject: id, expires_at: expiresAt };
    },
  }));

export const tokenRoutes: readonly Route[] = createTokenRoutes(() => (shared ??= new TokenClient()));
