import { LocalError } from '../local/errors';

/** Something a person can act on: one sentence, and what to do. Exit code 1. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly fix?: string,
  ) {
    super(message);
    this.name = 'CliError';
  }
}

/** The command line itself is wrong. Exit code 2. */
export class UsageError extends CliError {
  constructor(message: string, fix?: string) {
    super(message, fix);
    this.name = 'UsageError';
  }
}

interface Told {
  readonly message: string;
  readonly fix?: string;
}

interface Rule {
  readonly when: (name: string, message: string) => boolean;
  readonly message?: (message: string) => string;
  readonly fix: string;
}

const CREDENTIALS = 'log in to AWS (for example `aws sso login`), or add --local to talk to a running local engine';

const RULES: readonly Rule[] = [
  {
    when: (name, message) => /CredentialsProvider|TokenProvider/.test(name) || /load credentials|Session token not found/i.test(message),
    message: () => 'no AWS credentials were found',
    fix: CREDENTIALS,
  },
  {
    when: (name) => /ExpiredToken|InvalidClientTokenId|UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch|InvalidAccessKeyId/.test(name),
    message: (message) => `AWS does not accept the credentials: ${message}`,
    fix: CREDENTIALS,
  },
  {
    when: (_, message) => /Region is missing/i.test(message),
    message: () => 'no AWS region is set',
    fix: 'set AWS_REGION, or add --local to talk to a running local engine',
  },
  {
    when: (name) => /AccessDenied|UnauthorizedOperation|NotAuthorized/.test(name),
    fix: 'ask for this permission, or use a role that has it (AWS_PROFILE)',
  },
  {
    when: (name, message) => /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRESET|TimeoutError|NetworkingError/.test(`${name} ${message}`),
    message: (message) => `no answer from ${process.env.AWS_ENDPOINT_URL ?? 'AWS'}: ${message}`,
    fix: 'check the network and the region; for a local engine: `mlops local status`',
  },
  {
    when: (name) => /ResourceNotFoundException|NoSuchBucket/.test(name),
    message: (message) => `a resource that the platform's parameters name is not there: ${message}`,
    fix: 'deploy the platform again, or choose another with --platform',
  },
  { when: (name) => name === 'RegistryNotFound', fix: '`mlops models list` and `mlops models versions MODEL` tell what there is' },
  { when: (name) => name === 'RunNotFound', fix: '`mlops runs list MODEL` tells its runs, `mlops search WORD` finds others' },
  { when: (name) => /Throttl|TooManyRequests|ProvisionedThroughput/.test(name), fix: 'try again in a moment' },
];

/** What a person reads about any error. */
export function explain(error: unknown): Told {
  if (error instanceof CliError) return { message: error.message, fix: error.fix };
  if (error instanceof LocalError) {
    const fix = error.fix;
    return { message: fix ? error.message.slice(0, -fix.length - 2) : error.message, fix };
  }
  const { name, message } = summary(error);
  const rule = RULES.find(({ when }) => when(name, message));
  if (rule) return { message: rule.message?.(message) ?? message, fix: rule.fix };
  return { message: message || name };
}

function summary(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: '', message: String(error) };
  // A refused connection to a name with two addresses is an AggregateError without a message of its own.
  const inner = error instanceof AggregateError && !error.message ? summary(error.errors[0]) : undefined;
  const code = (error as NodeJS.ErrnoException).code;
  return { name: [error.name, code].filter(Boolean).join(' '), message: inner?.message ?? error.message };
}
