import type { CreateTrainingJobCommandInput } from '@aws-sdk/client-sagemaker';
import { checkAlgorithm, type Mode } from './algorithm';
import { invalid, unsupported } from './errors';

const ONE_DAY = 86_400;
/** Fields that would change what a job reads or leaves behind; what only concerns its machines is accepted. */
const NOT_PLAYED = ['TensorBoardOutputConfig', 'ServerlessJobConfig', 'MlflowConfig', 'ModelPackageConfig'] as const;

/** The rules that the service model cannot say, and the parts that this engine does not play. */
export function checkTraining(request: CreateTrainingJobCommandInput, mode: Mode): void {
  const algorithm = request.AlgorithmSpecification;
  if (!algorithm) throw invalid('AlgorithmSpecification is required for a training job');
  if (!algorithm.TrainingImage === !algorithm.AlgorithmName) {
    throw invalid('Exactly one of TrainingImage and AlgorithmName must be specified in AlgorithmSpecification');
  }
  if (algorithm.AlgorithmName) throw unsupported('AlgorithmName: name the image in TrainingImage');
  if (algorithm.ContainerEntrypoint || algorithm.ContainerArguments) throw unsupported('ContainerEntrypoint and ContainerArguments');
  const resources = request.ResourceConfig;
  if (!resources) throw invalid('ResourceConfig is required for a training job');
  if (resources.InstanceGroups) throw unsupported('InstanceGroups');
  if (!resources.InstanceType || resources.InstanceCount === undefined) {
    throw invalid('InstanceType and InstanceCount must be specified in ResourceConfig');
  }
  if (resources.InstanceCount !== 1) throw unsupported(`training on ${resources.InstanceCount} instances: it runs one`);
  if (resources.VolumeSizeInGB === undefined) throw invalid('VolumeSizeInGB must be specified in ResourceConfig');
  if (resources.KeepAlivePeriodInSeconds && request.EnableManagedSpotTraining) {
    throw invalid('KeepAlivePeriodInSeconds is not supported for managed spot training jobs');
  }
  const checkpoints = request.CheckpointConfig?.LocalPath;
  if (checkpoints !== undefined && !/^\/opt\/ml\/(?!\.)[^/]/.test(checkpoints)) throw unsupported(`checkpoints outside of /opt/ml (${checkpoints})`);
  const stopping = request.StoppingCondition;
  if (!stopping) throw invalid('StoppingCondition is required for a training job');
  if (request.EnableManagedSpotTraining) {
    if (stopping.MaxWaitTimeInSeconds === undefined) throw invalid('MaxWaitTimeInSeconds must be specified when EnableManagedSpotTraining is true');
    if (stopping.MaxWaitTimeInSeconds < (stopping.MaxRuntimeInSeconds ?? ONE_DAY)) {
      throw invalid('Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds');
    }
  } else if (stopping.MaxWaitTimeInSeconds !== undefined) {
    throw invalid('MaxWaitTimeInSeconds must not be specified when EnableManagedSpotTraining is false');
  }
  for (const field of NOT_PLAYED) if (request[field]) throw unsupported(field);
  checkChannels(request);
  if (mode === 'script') checkScriptMode(request.HyperParameters ?? {});
  if (mode === 'algorithm') checkAlgorithm(request);
}

function checkChannels(request: CreateTrainingJobCommandInput): void {
  const names = new Set<string>();
  for (const channel of request.InputDataConfig ?? []) {
    const name = channel.ChannelName!;
    if (names.has(name)) throw invalid(`Channel names must be unique, ${name} is not`);
    names.add(name);
    const source = channel.DataSource?.S3DataSource;
    if (!source) throw unsupported(`a channel without S3DataSource (${name})`);
    if (source.S3DataType === 'AugmentedManifestFile') throw unsupported(`AugmentedManifestFile (channel ${name})`);
    if ((channel.InputMode ?? request.AlgorithmSpecification!.TrainingInputMode) === 'Pipe') throw unsupported(`input mode Pipe (channel ${name})`);
    if (channel.CompressionType === 'Gzip') throw unsupported(`CompressionType Gzip on a channel (${name})`);
    if (channel.RecordWrapperType === 'RecordIO') throw unsupported(`RecordWrapperType RecordIO (channel ${name})`);
  }
}

function checkScriptMode(hyperParameters: Record<string, string>): void {
  for (const name of ['sagemaker_program', 'sagemaker_submit_directory']) {
    if (!hyperParameters[name])
      throw unsupported(`training without a script: the hyperparameter ${name} is missing, and this image has no algorithm here`);
  }
}

/** Values may be JSON strings in their own right. */
export function hyperParameter(value: string): string {
  try {
    const decoded: unknown = JSON.parse(value);
    return typeof decoded === 'string' ? decoded : value;
  } catch {
    return value;
  }
}
