import { randomUUID } from 'node:crypto';
import type { ProductionVariant, ProductionVariantSummary } from '@aws-sdk/client-sagemaker';
import { Capture } from './capture';
import { type Context, openLog } from './context';
import type { EndpointConfigRecord } from './endpoint-configs';
import { invalid } from './errors';
import type { LogStream } from './logs';
import { ModelServer, StartFailure } from './model-server';
import type { ModelRecord } from './models';

/** A variant as it serves: its process stands for all of its instances. */
export class LiveVariant {
  weight: number;
  count: number | undefined;
  readonly server: ModelServer;
  readonly log: LogStream;
  readonly capture?: Capture;

  constructor(
    private readonly context: Context,
    readonly definition: ProductionVariant,
    readonly model: ModelRecord,
    readonly endpointName: string,
    private readonly config: EndpointConfigRecord,
  ) {
    this.weight = definition.InitialVariantWeight ?? 1;
    this.count = definition.InitialInstanceCount;
    const instance = randomUUID().replace(/-/g, '').slice(0, 17);
    this.log = openLog(context, model.roleArn, `/aws/sagemaker/Endpoints/${endpointName}`, `${this.name}/i-${instance}`);
    this.server = new ModelServer(context, model, (line) => this.log.write(line));
    const capture = config.request.DataCaptureConfig;
    if (capture && capture.EnableCapture !== false) {
      this.capture = new Capture(capture, endpointName, this.name, context.engine.s3(model.roleArn), (line) => {
        context.log(line);
        this.log.write(line);
      });
    }
  }

  get name(): string {
    return this.definition.VariantName!;
  }

  get maxConcurrency(): number | undefined {
    return this.definition.ServerlessConfig?.MaxConcurrency;
  }

  async start(): Promise<void> {
    try {
      await this.server.start(this.definition.ContainerStartupHealthCheckTimeoutInSeconds);
    } catch (error) {
      throw new Error(startReason(error, this.name), { cause: error });
    }
  }

  async end(drain: boolean): Promise<void> {
    if (drain) await this.server.drain();
    else await this.server.stop();
    await this.capture?.close();
    await this.log.flush();
    this.context.streams.delete(this.log);
  }

  /** Serverless endpoints know no guardrails, so nothing of them is measured by configuration. */
  get dimensions(): Record<string, string>[] {
    const both = { EndpointName: this.endpointName, VariantName: this.name };
    return this.maxConcurrency === undefined ? [both, { ...both, EndpointConfigName: this.config.name }] : [both];
  }

  summary(): ProductionVariantSummary {
    const serverless = this.definition.ServerlessConfig;
    return {
      VariantName: this.name,
      DeployedImages: [{ SpecifiedImage: this.model.container.Image, ResolvedImage: this.model.container.Image, ResolutionTime: this.model.created }],
      CurrentWeight: this.weight,
      DesiredWeight: this.weight,
      CurrentInstanceCount: serverless ? 0 : this.count,
      DesiredInstanceCount: serverless ? undefined : this.count,
      CurrentServerlessConfig: serverless,
      DesiredServerlessConfig: serverless,
    };
  }
}

/** All variants of one endpoint configuration, started together and ended together. */
export class Fleet {
  readonly variants: readonly LiveVariant[];

  constructor(
    context: Context,
    readonly config: EndpointConfigRecord,
    endpointName: string,
    modelOf: (name: string) => ModelRecord,
  ) {
    this.variants = config.variants.map((variant) => new LiveVariant(context, variant, modelOf(variant.ModelName!), endpointName, config));
  }

  async start(): Promise<void> {
    await Promise.all(this.variants.map((variant) => variant.start()));
  }

  /** As if the machines' containers had died; they are started again as on AWS. */
  kill(): void {
    for (const { server } of this.variants) server.kill();
  }

  async end(drain: boolean): Promise<void> {
    await Promise.all(this.variants.map((variant) => variant.end(drain)));
  }

  /** Chooses by weight, or the one that the caller names. */
  route(target: string | undefined): LiveVariant {
    if (target !== undefined) {
      const named = this.variants.find(({ name }) => name === target);
      if (!named) throw invalid(`Variant ${target} was not found on the endpoint.`);
      return named;
    }
    const total = this.variants.reduce((sum, { weight }) => sum + weight, 0);
    let point = Math.random() * total;
    for (const variant of this.variants) {
      point -= variant.weight;
      if (point < 0) return variant;
    }
    return this.variants[this.variants.length - 1];
  }

}

function startReason(error: unknown, variant: string): string {
  if (!(error instanceof StartFailure)) return `Request to service failed. (${error instanceof Error ? error.message : String(error)})`;
  if (error.kind === 'data') return `Failed to download model data for variant ${variant}: ${error.message}`;
  return (
    `The primary container for production variant ${variant} did not pass the ping health check. ` +
    `Please check CloudWatch logs for this endpoint. (Local engine: ${error.message})`
  );
}
