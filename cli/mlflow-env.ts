import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { STSClient } from '@aws-sdk/client-sts';
import type { Command } from 'commander';
import * as z from 'zod';
import { TOKEN_SCOPES, TOKEN_SECONDS, type TokenScope } from '../lib/platform/contract';
import { CliError, UsageError } from './errors';
import { localTime } from './format';
import type { Io } from './io';
import { platformOptions, type PlatformOptions } from './options';
import { findPlatform } from './platform';

interface Options extends PlatformOptions {
  readonly scope: string;
  readonly hours: string;
}

const issued = z.object({ token: z.string().min(1), scope: z.string(), subject: z.string(), expires_at: z.number() });

/** What MLflow's client prefers to a token, or would send elsewhere with. */
const IN_THE_WAY = [
  'MLFLOW_REGISTRY_URI',
  'MLFLOW_TRACKING_AUTH',
  'MLFLOW_TRACKING_AWS_SIGV4',
  'MLFLOW_TRACKING_INSECURE_TLS',
  'MLFLOW_TRACKING_PASSWORD',
  'MLFLOW_TRACKING_USERNAME',
];

/** Left behind by an engine, they would lead artifacts past AWS. */
const ENGINE_ONLY = ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3', 'MLFLOW_S3_ENDPOINT_URL'];
/** Settings of a person's shell that would win over the engine's credentials. */
const PERSONAL = ['AWS_PROFILE', 'AWS_SESSION_TOKEN'];

/**
 * The proxied way for artifacts ends at what a function takes (6 MB, a third of it lost to base64): larger files go to S3 in parts, which the
 * client does from 500 MB on if it is not told otherwise.
 */
const MULTIPART = {
  MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD: 'true',
  MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE: String(4 * 1024 * 1024),
  MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE: String(16 * 1024 * 1024),
};

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('mlflow-env')
      .description('print the environment that leads the mlflow client to the platform: eval "$(npx mlops mlflow-env)"')
      .option('--scope <scope>', `${TOKEN_SCOPES.join(' or ')}: what the token allows`, 'write')
      .option('--hours <number>', `how long the token lasts, at most ${TOKEN_SECONDS.maximum / 3600}`, String(TOKEN_SECONDS.standard / 3600)),
  ).action(async (_, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const scope = scopeOf(options.scope);
    const seconds = secondsOf(options.hours);
    const { connection, resources, api } = await findPlatform(options);
    const token = issued.parse(await api.call('POST', `/token/${scope}`, { seconds }));
    const region = await new STSClient(connection).config.region();
    const local = connection.endpoint === undefined ? {} : engineAccess(connection.endpoint, connection.credentials, io.environment);
    const environment: Record<string, string> = {
      MLFLOW_TRACKING_URI: `${resources.apiUrl}/token`,
      MLFLOW_TRACKING_TOKEN: token.token,
      ...MULTIPART,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      ...local,
    };
    const unset = [...IN_THE_WAY, ...(connection.endpoint === undefined ? ENGINE_ONLY : PERSONAL)].filter((name) => !(name in environment)).sort();
    const expiresAt = new Date(token.expires_at).toISOString();
    if (options.json) {
      io.out(`${JSON.stringify({ environment, unset, scope, subject: token.subject, expiresAt }, null, 2)}\n`);
      return;
    }
    const lines = [`unset ${unset.join(' ')}`, ...Object.entries(environment).map(([name, value]) => `export ${name}=${quoted(value)}`)];
    io.out(`${lines.join('\n')}\n`);
    io.err(`# ${scope === 'read' ? 'reading' : 'reading and writing'} as ${token.subject} until ${localTime(expiresAt)}\n`);
    const file = passwordFile(io.environment.HOME ?? os.homedir());
    if (file) io.err(`# ${file} names a user: mlflow prefers it to the token and will be refused; move it away\n`);
  });
};

function scopeOf(text: string): TokenScope {
  const scope = TOKEN_SCOPES.find((one) => one === text);
  if (scope) return scope;
  throw new UsageError(`--scope ${text} is none`, `give ${TOKEN_SCOPES.join(' or ')}`);
}

function secondsOf(text: string): number {
  const seconds = Math.round(Number(text) * 3600);
  if (text.trim() !== '' && seconds >= TOKEN_SECONDS.minimum && seconds <= TOKEN_SECONDS.maximum) return seconds;
  throw new UsageError(`--hours ${text} is not allowed`, `give a number up to ${TOKEN_SECONDS.maximum / 3600}; a token lasts at least a minute`);
}

/** The file whose user name the client prefers to a token, which no variable can turn off. */
function passwordFile(home: string): string | undefined {
  const file = path.join(home, '.mlflow', 'credentials');
  return existsSync(file) && /^\s*mlflow_tracking_username\s*[=:]\s*\S/m.test(readFileSync(file, 'utf8')) ? file : undefined;
}

type Keys = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** Artifacts go to the engine with the credentials of its root; no proxy stands between this machine and itself. */
function engineAccess(endpoint: string, keys: Keys | undefined, shell: NodeJS.ProcessEnv): Record<string, string> {
  if (!keys) throw new CliError('the engine has no credentials to hand out', 'start it again');
  const noProxy = [...new Set([...(shell.NO_PROXY ?? shell.no_proxy ?? '').split(',').filter(Boolean), '127.0.0.1', 'localhost'])].join(',');
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    MLFLOW_S3_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    NO_PROXY: noProxy,
    no_proxy: noProxy,
  };
}

/** A word of a POSIX shell, whatever is in it. */
export const quoted = (value: string): string => (/^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`);
