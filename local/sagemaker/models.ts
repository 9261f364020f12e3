import { HeadObjectCommand } from '@aws-sdk/client-s3';
import type { ContainerDefinition, CreateModelCommandInput } from '@aws-sdk/client-sagemaker';
import { modeOf } from './algorithm';
import type { Context } from './context';
import { invalid, unsupported } from './errors';
import type { OwnImages } from './images';
import { type ListRequest, type Listed, Records, withoutTags } from './records';
import { listKeys, locationOf } from './storage';

export interface ModelRecord extends Listed {
  readonly container: ContainerDefinition;
  readonly roleArn: string;
  readonly request: CreateModelCommandInput;
}

/** Where a container's model lies: one archive, one object, or every object below a prefix. */
export interface ModelData {
  readonly uri: string;
  readonly form: 'archive' | 'object' | 'prefix';
}

export function modelDataOf(container: ContainerDefinition): ModelData | undefined {
  const source = container.ModelDataSource?.S3DataSource;
  if (!source) return container.ModelDataUrl ? { uri: container.ModelDataUrl, form: 'archive' } : undefined;
  if (source.CompressionType === 'Gzip') return { uri: source.S3Uri!, form: 'archive' };
  return { uri: source.S3Uri!, form: source.S3DataType === 'S3Object' ? 'object' : 'prefix' };
}

export class Models {
  private readonly models: Records<ModelRecord>;

  constructor(private readonly context: Context) {
    const { region, accountId } = context.options;
    const unknown = (_: string, arn: string) => invalid(`Could not find model "${arn}".`);
    this.models = new Records({ kind: 'model', unknown, descendingByDefault: true }, region, accountId);
  }

  get(name: string): ModelRecord {
    return this.models.get(name);
  }

  async create(request: CreateModelCommandInput) {
    const name = request.ModelName!;
    const container = theContainer(request, this.context.options.images);
    if (!request.ExecutionRoleArn) throw unsupported('a model without ExecutionRoleArn');
    this.context.images.framework(container.Image!);
    const arn = this.models.arnOf(name);
    this.refuseKnown(name, arn);
    await this.context.engine.assume(request.ExecutionRoleArn);
    await this.checkModelData(container, request.ExecutionRoleArn);
    this.refuseKnown(name, arn);
    const now = new Date();
    this.context.tags.set(arn, request.Tags);
    this.models.add({ name, arn, created: now, modified: now, container, roleArn: request.ExecutionRoleArn, request });
    this.context.containers.prepare();
    return { ModelArn: arn };
  }

  describe({ ModelName }: { ModelName: string }) {
    const { arn, created, request } = this.models.get(ModelName);
    return { ...withoutTags(request), ModelArn: arn, CreationTime: created, EnableNetworkIsolation: request.EnableNetworkIsolation ?? false };
  }

  list(request: ListRequest) {
    const { items, NextToken } = this.models.page(request);
    return { Models: items.map(({ name, arn, created }) => ({ ModelName: name, ModelArn: arn, CreationTime: created })), NextToken };
  }

  delete({ ModelName }: { ModelName: string }) {
    const { arn } = this.models.get(ModelName);
    this.models.remove(ModelName);
    this.context.tags.forget(arn);
    return {};
  }

  /** The role's rights on the model data are checked when the model is made, not when it is first loaded. */
  private async checkModelData(container: ContainerDefinition, roleArn: string): Promise<void> {
    const data = modelDataOf(container);
    if (!data) return;
    const s3 = this.context.engine.s3(roleArn);
    const { bucket, key } = locationOf(data.uri);
    let status: number | undefined;
    try {
      if (data.form !== 'prefix') await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      else if ((await listKeys(s3, bucket, key)).length === 0) status = 404;
    } catch (error) {
      status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 500;
    }
    if (status === 404) throw invalid(`Could not find model data at ${data.uri}.`);
    if (status !== undefined) {
      throw invalid(
        `Could not access model data at ${data.uri}. Please ensure that the role "${roleArn}" exists and that its trust relationship policy ` +
          'allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" ' +
          `permissions and that the object is located in ${this.context.options.region}. If your Model uses multiple models or uncompressed ` +
          'models, please ensure that the role has "s3:ListBucket" permission.',
      );
    }
  }

  private refuseKnown(name: string, arn: string): void {
    if (this.models.has(name)) throw invalid(`Cannot create already existing model "${arn}".`);
  }
}

function theContainer(request: CreateModelCommandInput, own: OwnImages | undefined): ContainerDefinition {
  if (request.PrimaryContainer && request.Containers) throw invalid('PrimaryContainer and Containers cannot both be specified');
  if (!request.PrimaryContainer && !request.Containers) throw invalid('Either PrimaryContainer or Containers must be specified');
  if (request.Containers && request.Containers.length !== 1) throw unsupported('inference pipelines of several containers');
  const container = request.PrimaryContainer ?? request.Containers![0];
  if (container.ModelPackageName) throw unsupported('ModelPackageName: name Image and ModelDataUrl');
  if (!container.Image) throw invalid('Either Image or ModelPackageName must be specified');
  if (container.Mode === 'MultiModel') throw unsupported('multi-model containers');
  if (container.AdditionalModelDataSources) throw unsupported('AdditionalModelDataSources');
  if (container.ModelDataUrl && container.ModelDataSource) throw invalid('ModelDataUrl and ModelDataSource cannot both be specified');
  const environment = container.Environment ?? {};
  const mode = modeOf(container.Image, environment.SAGEMAKER_PROGRAM, own, 'serve');
  if (mode === 'script' && !environment.SAGEMAKER_PROGRAM) {
    throw unsupported('a model without a script: its container has no environment variable SAGEMAKER_PROGRAM, and this image has no algorithm here');
  }
  if (mode === 'algorithm' && environment.SAGEMAKER_INFERENCE_OUTPUT) throw unsupported('SAGEMAKER_INFERENCE_OUTPUT of the built-in XGBoost');
  return container;
}
