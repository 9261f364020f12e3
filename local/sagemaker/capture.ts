import { randomUUID } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import type { DataCaptureConfig } from '@aws-sdk/client-sagemaker';
import { messageOf } from './errors';
import { joinUri, upload } from './storage';

const FLUSH_MILLISECONDS = 500;

export interface Captured {
  readonly contentType: string;
  readonly body: Buffer;
}

export interface CapturedRequest {
  readonly input: Captured;
  readonly output: Captured;
  readonly inferenceId?: string;
  readonly customAttributes?: string;
  readonly at: Date;
}

const two = (value: number) => String(value).padStart(2, '0');

/** Data capture of one variant: one line per request, in files of the UTC hour in which the request came. */
export class Capture {
  private readonly byHour = new Map<string, { first: Date; lines: string[] }>();
  private timer?: NodeJS.Timeout;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly config: DataCaptureConfig,
    private readonly endpointName: string,
    private readonly variantName: string,
    private readonly s3: S3Client,
    private readonly complain: (line: string) => void,
  ) {}

  record(request: CapturedRequest): void {
    if (Math.random() * 100 >= this.config.InitialSamplingPercentage!) return;
    const { at } = request;
    const hour = [at.getUTCFullYear(), two(at.getUTCMonth() + 1), two(at.getUTCDate()), two(at.getUTCHours())].join('/');
    const file = this.byHour.get(hour) ?? { first: at, lines: [] };
    file.lines.push(JSON.stringify(this.line(request)));
    this.byHour.set(hour, file);
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_MILLISECONDS);
  }

  close(): Promise<void> {
    return this.flush();
  }

  private line({ input, output, inferenceId, customAttributes, at }: CapturedRequest) {
    const modes = new Set(this.config.CaptureOptions!.map(({ CaptureMode }) => CaptureMode));
    const wants = (mode: 'Input' | 'Output') => modes.has(mode) || modes.has('InputAndOutput');
    return {
      captureData: {
        ...(wants('Input') ? { endpointInput: this.part('INPUT', input) } : {}),
        ...(wants('Output') ? { endpointOutput: this.part('OUTPUT', output) } : {}),
      },
      eventMetadata: {
        eventId: randomUUID(),
        ...(customAttributes !== undefined ? { customAttributes: [customAttributes] } : {}),
        ...(inferenceId !== undefined ? { inferenceId } : {}),
        inferenceTime: `${at.toISOString().slice(0, 19)}Z`,
      },
      eventVersion: '0',
    };
  }

  private part(mode: 'INPUT' | 'OUTPUT', { contentType, body }: Captured) {
    const encoding = this.encodingOf(contentType);
    return { observedContentType: contentType, mode, data: body.toString(encoding === 'BASE64' ? 'base64' : 'utf8'), encoding };
  }

  /** Base64 unless the configuration lists the content type: that is the service's default, also for CSV. */
  private encodingOf(contentType: string): 'CSV' | 'JSON' | 'BASE64' {
    const header = this.config.CaptureContentTypeHeader;
    const media = contentType.split(';')[0].trim().toLowerCase();
    const listed = (types: readonly string[] | undefined) => types?.some((type) => type.toLowerCase() === media) ?? false;
    if (listed(header?.CsvContentTypes)) return 'CSV';
    return listed(header?.JsonContentTypes) ? 'JSON' : 'BASE64';
  }

  private flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const files = [...this.byHour];
    this.byHour.clear();
    this.writing = this.writing.then(() => this.write(files));
    return this.writing;
  }

  private async write(files: Array<[string, { first: Date; lines: string[] }]>): Promise<void> {
    for (const [hour, { first, lines }] of files) {
      const milliseconds = String(first.getUTCMilliseconds()).padStart(3, '0');
      const name = `${two(first.getUTCMinutes())}-${two(first.getUTCSeconds())}-${milliseconds}-${randomUUID()}.jsonl`;
      const uri = joinUri(this.config.DestinationS3Uri!, this.endpointName, this.variantName, hour, name);
      try {
        await upload(this.s3, uri, `${lines.join('\n')}\n`, this.config.KmsKeyId);
      } catch (error) {
        this.complain(`data capture of ${this.endpointName} lost ${lines.length} records: ${messageOf(error)}`);
      }
    }
  }
}
