import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PutMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import type { PutLogEventsCommandInput } from '@aws-sdk/client-cloudwatch-logs';

export interface StateChange {
  readonly DetailType: string;
  readonly Source: string;
  readonly Detail: Record<string, unknown>;
  readonly Resources: string[];
}

/** MiniStack's part, small enough to look into: role sessions, events, S3, CloudWatch and its logs. */
export class FakeEngine {
  readonly objects = new Map<string, Buffer>();
  readonly events: StateChange[] = [];
  readonly logs = new Map<string, string[]>();
  readonly metrics: Array<{ name: string; value: number; dimensions: string[] }> = [];
  /** Bucket prefixes that no role but the root may touch. */
  readonly forbidden = new Set<string>();
  readonly token = 'token-of-the-test';
  alarmState = 'OK';
  alarmsForbidden = false;
  /** Effects for the children of tuning jobs, by their name. */
  readonly faults = new Map<string, object>();
  /** Access keys that wrote or read objects. */
  readonly keysSeen = new Set<string>();
  private readonly server = http.createServer((request, response) => void this.answer(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  put(key: string, body: string | Buffer): void {
    this.objects.set(key, Buffer.from(body));
  }

  text(key: string): string | undefined {
    return this.objects.get(key)?.toString('utf8');
  }

  keys(prefix: string): string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  logLines(group: string): string[] {
    return [...this.logs].filter(([name]) => name.startsWith(group)).flatMap(([, lines]) => lines);
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const body = Buffer.concat(parts);
    const url = new URL(request.url ?? '/', 'http://engine');
    const send = (status: number, text: string | Buffer, type = 'application/json') => {
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
      response.end(request.method === 'HEAD' ? undefined : text);
    };
    const target = String(request.headers['x-amz-target'] ?? '');
    if (url.pathname.startsWith('/_mlops/')) {
      if (request.headers['x-mlops-engine-token'] !== this.token) return send(403, '{}');
      return this.own(url.pathname, JSON.parse(body.toString('utf8')), send);
    }
    if (target.startsWith('Logs_')) return this.writeLogs(target, JSON.parse(body.toString('utf8')), send);
    if (target.startsWith('GraniteService')) return this.cloudWatch(target, JSON.parse(body.toString('utf8')), send);
    return this.s3(request, url, body, send);
  }

  private own(route: string, body: Record<string, unknown>, send: (status: number, text: string) => void): void {
    if (route === '/_mlops/events') {
      this.events.push(body as unknown as StateChange);
      return send(200, '{}');
    }
    if (route === '/_mlops/permitted') return send(200, JSON.stringify({ message: this.alarmsForbidden ? 'not authorized' : null }));
    if (route === '/_mlops/faults/match') return send(200, JSON.stringify({ effect: this.faults.get(String(body.name)) ?? null }));
    const role = String(body.roleArn);
    if (role.endsWith('/nobody')) return send(400, JSON.stringify({ message: 'the role does not exist' }));
    return send(200, JSON.stringify({ AccessKeyId: `ASIA${role.split('/').pop()!.toUpperCase()}`, SecretAccessKey: 's', SessionToken: 't' }));
  }

  private writeLogs(target: string, body: PutLogEventsCommandInput, send: (status: number, text: string) => void): void {
    if (target.endsWith('PutLogEvents')) {
      const name = `${body.logGroupName}/${body.logStreamName}`;
      this.logs.set(name, [...(this.logs.get(name) ?? []), ...body.logEvents!.map(({ message }) => message!)]);
    }
    send(200, '{}');
  }

  private cloudWatch(target: string, body: PutMetricDataCommandInput, send: (status: number, text: string) => void): void {
    if (target.endsWith('DescribeAlarms')) return send(200, JSON.stringify({ MetricAlarms: [{ AlarmName: 'errors', StateValue: this.alarmState }] }));
    for (const { MetricName, Value, Dimensions } of body.MetricData ?? []) {
      this.metrics.push({ name: MetricName!, value: Value!, dimensions: Dimensions!.map((dimension) => dimension.Value!) });
    }
    return send(200, '{}');
  }

  private s3(request: http.IncomingMessage, url: URL, body: Buffer, send: (status: number, text: string | Buffer, type?: string) => void): void {
    const key = decodeURIComponent(url.pathname.slice(1));
    const accessKey = /Credential=([^/]+)/.exec(String(request.headers.authorization))?.[1];
    if (accessKey) this.keysSeen.add(accessKey);
    const listing = url.searchParams.get('list-type') === '2';
    const wanted = listing ? `${key.replace(/\/$/, '')}/${url.searchParams.get('prefix') ?? ''}` : key;
    if ([...this.forbidden].some((prefix) => wanted.startsWith(prefix))) {
      return send(403, '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>', 'application/xml');
    }
    if (listing) {
      const bucket = key.replace(/\/$/, '');
      const contents = this.keys(wanted).map((name) => `<Contents><Key>${name.slice(bucket.length + 1)}</Key><Size>1</Size></Contents>`);
      const xml = `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`;
      return send(200, xml, 'application/xml');
    }
    if (request.method === 'PUT') {
      this.objects.set(key, body);
      return send(200, '', 'application/xml');
    }
    const object = this.objects.get(key);
    if (!object) return send(404, '<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>', 'application/xml');
    return send(200, object, 'application/octet-stream');
  }
}
