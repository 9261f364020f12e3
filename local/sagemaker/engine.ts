import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { S3Client } from '@aws-sdk/client-s3';
import { invalid, messageOf } from './errors';
import type { SageMakerOptions } from './options';

interface Session {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken: string;
  readonly Expiration?: number | string;
}

const SESSION_MILLISECONDS = 15 * 60_000;

/** Everything the service asks of MiniStack: sessions of roles, events, and clients that act as a role or as the service itself. */
export class Engine {
  readonly metrics: CloudWatchClient;
  private readonly storage = new Map<string, S3Client>();
  private readonly logging = new Map<string, CloudWatchLogsClient>();

  constructor(private readonly options: SageMakerOptions) {
    this.metrics = new CloudWatchClient({
      region: options.region,
      endpoint: options.engineUrl,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      // The engine reads plain bodies only.
      disableRequestCompression: true,
      maxAttempts: 2,
    });
  }

  /** Fails like the create calls do where the role does not exist or does not trust SageMaker. */
  async assume(roleArn: string): Promise<void> {
    try {
      await this.session(roleArn);
    } catch (error) {
      throw invalid(
        `Could not assume role ${roleArn}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' ` +
          `to assume the role. (${messageOf(error)})`,
      );
    }
  }

  s3(roleArn: string): S3Client {
    return cached(
      this.storage,
      roleArn,
      () => new S3Client({ ...this.asRole(roleArn), forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED', maxAttempts: 2 }),
    );
  }

  logs(roleArn: string): CloudWatchLogsClient {
    return cached(this.logging, roleArn, () => new CloudWatchLogsClient({ ...this.asRole(roleArn), maxAttempts: 2 }));
  }

  /** State changes are told, never waited for: a lost event must not fail a job. */
  emit(detailType: string, detail: Record<string, unknown>, resources: string[]): void {
    this.post('/_mlops/events', { DetailType: detailType, Source: 'aws.sagemaker', Detail: detail, Resources: resources }).catch((error) =>
      this.options.log?.(`event "${detailType}" was not delivered: ${messageOf(error)}`),
    );
  }

  /** What keeps a role from doing this to one of the resources, if anything. */
  async denied(roleArn: string, action: string, resources: readonly string[]): Promise<string | undefined> {
    const { message } = (await this.post('/_mlops/permitted', { roleArn, action, resources })) as { message?: string };
    return message || undefined;
  }

  /** What a fault rule has for work that no request of a caller stands for. */
  async faultOf(operation: string, name: string): Promise<string | undefined> {
    const { effect } = (await this.post('/_mlops/faults/match', { operation, name })) as { effect?: unknown };
    return effect ? JSON.stringify(effect) : undefined;
  }

  close(): void {
    for (const client of [this.metrics, ...this.storage.values(), ...this.logging.values()]) client.destroy();
  }

  private asRole(roleArn: string) {
    return {
      region: this.options.region,
      endpoint: this.options.engineUrl,
      credentials: async () => {
        const session = await this.session(roleArn);
        return {
          accessKeyId: session.AccessKeyId,
          secretAccessKey: session.SecretAccessKey,
          sessionToken: session.SessionToken,
          expiration: new Date(Date.now() + SESSION_MILLISECONDS),
        };
      },
    };
  }

  private async session(roleArn: string): Promise<Session> {
    return (await this.post('/_mlops/session', { roleArn, service: 'sagemaker.amazonaws.com' })) as Session;
  }

  private async post(path: string, body: unknown): Promise<unknown> {
    const response = await fetch(`${this.options.engineUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-mlops-engine-token': this.options.engineToken },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(reason(text) || `${path} answered ${response.status}`);
    return text ? JSON.parse(text) : {};
  }
}

function reason(text: string): string {
  try {
    const body = JSON.parse(text) as { message?: string; Message?: string };
    return body.message ?? body.Message ?? text;
  } catch {
    return text;
  }
}

function cached<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}
