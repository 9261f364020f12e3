import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';
import type { CreateTransformJobCommandInput } from '@aws-sdk/client-sagemaker';
import { columnFilter } from './csv-paths';
import { invalid, unsupported } from './errors';
import type { ModelServer } from './model-server';
import { joinUri, listKeys, locationOf, readObject, relativeName, upload } from './storage';

const DEFAULT_PAYLOAD_MEGABYTES = 6;
const DEFAULT_INVOCATION_SECONDS = 600;

/** The rules that the service model cannot say, and the parts that this engine does not play. */
export function checkTransform(request: CreateTransformJobCommandInput): void {
  const input = request.TransformInput!;
  const source = input.DataSource!.S3DataSource!;
  if (source.S3DataType !== 'S3Prefix' && source.S3DataType !== 'ManifestFile') throw unsupported(`S3DataType ${source.S3DataType}`);
  if (input.SplitType === 'RecordIO' || input.SplitType === 'TFRecord') throw unsupported(`SplitType ${input.SplitType}`);
  if (input.CompressionType === 'Gzip' && (input.SplitType ?? 'None') !== 'None') {
    throw invalid('SplitType must be None when CompressionType is Gzip');
  }
  if (request.DataCaptureConfig) throw unsupported('data capture of transform jobs');
  if (request.TransformResources!.InstanceCount !== 1) throw unsupported('transform jobs on several instances');
  if ((request.MaxPayloadInMB ?? DEFAULT_PAYLOAD_MEGABYTES) * Math.max(1, request.MaxConcurrentTransforms ?? 1) > 100) {
    throw invalid('The product of MaxConcurrentTransforms and MaxPayloadInMB must not exceed 100 MB');
  }
  const processing = request.DataProcessing;
  if (!processing) return;
  columnFilter(processing.InputFilter);
  columnFilter(processing.OutputFilter);
  const media = input.ContentType?.split(';')[0].trim();
  if (media !== 'text/csv') throw unsupported(`DataProcessing of ${media ?? 'an unnamed content type'}: it knows text/csv`);
  if (processing.JoinSource === 'Input' && (input.SplitType !== 'Line' || request.TransformOutput!.AssembleWith !== 'Line')) {
    throw invalid('JoinSource Input requires SplitType Line and AssembleWith Line');
  }
}

/** Sends every object below the input prefix through the model and writes `<relative key>.out`. */
export class TransformWork {
  private readonly filterInput: (line: string) => string;
  private readonly filterOutput: (line: string) => string;
  private readonly byLine: boolean;
  private readonly processed: boolean;

  constructor(
    private readonly request: CreateTransformJobCommandInput,
    private readonly s3: S3Client,
    private readonly server: ModelServer,
    private readonly signal: AbortSignal,
  ) {
    const processing = request.DataProcessing;
    this.filterInput = columnFilter(processing?.InputFilter);
    this.filterOutput = columnFilter(processing?.OutputFilter);
    this.byLine = request.TransformInput!.SplitType === 'Line';
    this.processed = processing?.JoinSource === 'Input' || (processing?.OutputFilter ?? '$') !== '$';
  }

  async inputs(): Promise<{ bucket: string; names: Map<string, string> }> {
    const source = this.request.TransformInput!.DataSource!.S3DataSource!;
    const { bucket, key: prefix } = locationOf(source.S3Uri!);
    if (source.S3DataType === 'S3Prefix') {
      const keys = await listKeys(this.s3, bucket, prefix);
      return { bucket, names: new Map(keys.map((key) => [key, relativeName(key, prefix)])) };
    }
    const [head, ...rest] = JSON.parse((await readObject(this.s3, { bucket, key: prefix })).toString('utf8')) as [{ prefix: string }, ...string[]];
    const base = locationOf(head.prefix);
    return { bucket: base.bucket, names: new Map(rest.map((name) => [`${base.key}${name}`, name])) };
  }

  async object(bucket: string, key: string, name: string): Promise<void> {
    const raw = await readObject(this.s3, { bucket, key });
    const input = this.request.TransformInput!.CompressionType === 'Gzip' ? await promisify(gunzip)(raw) : raw;
    const batches = this.byLine ? this.batchesOf(input.toString('utf8')) : [[input.toString('latin1')]];
    const outputs = await this.inOrder(batches);
    const { S3OutputPath, KmsKeyId } = this.request.TransformOutput!;
    await upload(this.s3, joinUri(S3OutputPath!, `${name}.out`), Buffer.concat(outputs), KmsKeyId);
  }

  private batchesOf(text: string): string[][] {
    const lines = text.split(/\r?\n/);
    if (lines[lines.length - 1] === '') lines.pop();
    if (this.request.BatchStrategy === 'SingleRecord') return lines.map((line) => [line]);
    const limit = (this.request.MaxPayloadInMB ?? DEFAULT_PAYLOAD_MEGABYTES) * 1024 * 1024 || Infinity;
    const batches: string[][] = [];
    let size = Infinity;
    for (const line of lines) {
      const bytes = Buffer.byteLength(line) + 1;
      if (size + bytes > limit) {
        batches.push([]);
        size = 0;
      }
      batches[batches.length - 1].push(line);
      size += bytes;
    }
    return batches;
  }

  /** MaxConcurrentTransforms requests at a time, answers in the order of their records. */
  private async inOrder(batches: string[][]): Promise<Buffer[]> {
    const outputs: Buffer[] = new Array<Buffer>(batches.length);
    let next = 0;
    const worker = async () => {
      while (next < batches.length) {
        this.signal.throwIfAborted();
        const mine = next;
        next += 1;
        outputs[mine] = await this.batch(batches[mine]);
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, this.request.MaxConcurrentTransforms ?? 1) }, worker));
    return outputs;
  }

  private async batch(records: string[]): Promise<Buffer> {
    const body = this.byLine ? Buffer.from(records.map(this.filterInput).join('\n')) : Buffer.from(this.whole(records[0]), 'latin1');
    const headers = {
      'content-type': this.request.TransformInput!.ContentType ?? 'application/octet-stream',
      accept: this.request.TransformOutput!.Accept ?? '*/*',
    };
    const seconds = this.request.ModelClientConfig?.InvocationsTimeoutInSeconds ?? DEFAULT_INVOCATION_SECONDS;
    const answer = await this.server.invoke(body, headers, seconds * 1000);
    if (answer.status < 200 || answer.status >= 300) {
      throw new Error(`Bad HTTP status received from algorithm: ${answer.status}. ${answer.body.toString('utf8').slice(0, 500)}`);
    }
    return this.assembled(records, answer.body);
  }

  private whole(payload: string): string {
    if ((this.request.DataProcessing?.InputFilter ?? '$') === '$') return payload;
    return payload.replace(/\n$/, '').split('\n').map(this.filterInput).join('\n');
  }

  private assembled(records: string[], body: Buffer): Buffer {
    const lines = this.request.TransformOutput!.AssembleWith === 'Line';
    if (!this.processed) return lines && !body.toString('latin1').endsWith('\n') ? Buffer.concat([body, Buffer.from('\n')]) : body;
    const predictions = body.toString('utf8').replace(/\r?\n$/, '').split(/\r?\n/);
    const joins = this.request.DataProcessing!.JoinSource === 'Input';
    if (joins && predictions.length !== records.length) {
      throw new Error(`The model answered ${predictions.length} records for ${records.length}: input and output cannot be joined`);
    }
    const rows = predictions.map((prediction, index) => this.filterOutput(joins ? `${records[index]},${prediction}` : prediction));
    return Buffer.from(rows.join('\n') + (lines ? '\n' : ''));
  }
}
