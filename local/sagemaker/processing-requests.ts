import path from 'node:path';
import type { CreateProcessingJobCommandInput } from '@aws-sdk/client-sagemaker';
import { invalid, unsupported } from './errors';

const BASE = '/opt/ml/processing';

/** The rules that the service model cannot say, and the parts that this engine does not play. */
export function checkProcessing(request: CreateProcessingJobCommandInput): void {
  const cluster = request.ProcessingResources!.ClusterConfig!;
  if (cluster.InstancePreferences) throw unsupported('InstancePreferences');
  if (!cluster.InstanceType || cluster.InstanceCount === undefined) {
    throw invalid('InstanceType and InstanceCount must be specified in ClusterConfig');
  }
  if (cluster.InstanceCount !== 1) throw unsupported(`processing on ${cluster.InstanceCount} instances: it runs one`);
  if (!request.AppSpecification!.ContainerEntrypoint) throw unsupported("an image's own entry point: give ContainerEntrypoint");
  const names = new Set<string>();
  for (const { InputName, S3Input, DatasetDefinition, AppManaged } of request.ProcessingInputs ?? []) {
    unique(names, InputName!);
    if (DatasetDefinition) throw unsupported(`DatasetDefinition (input ${InputName})`);
    if (!S3Input) throw invalid(`S3Input must be specified for the processing input ${InputName}`);
    if (AppManaged) throw unsupported(`AppManaged (input ${InputName})`);
    if (S3Input.S3InputMode === 'Pipe') throw unsupported(`input mode Pipe (input ${InputName})`);
    if (S3Input.S3CompressionType === 'Gzip') throw unsupported(`S3CompressionType Gzip (input ${InputName})`);
    if (S3Input.S3DataType === 'ManifestFile') throw unsupported(`ManifestFile (input ${InputName})`);
    below(S3Input.LocalPath, `input ${InputName}`);
  }
  const outputs = new Set<string>();
  for (const { OutputName, S3Output, FeatureStoreOutput, AppManaged } of request.ProcessingOutputConfig?.Outputs ?? []) {
    unique(outputs, OutputName!);
    if (FeatureStoreOutput) throw unsupported(`FeatureStoreOutput (output ${OutputName})`);
    if (!S3Output) throw invalid(`S3Output must be specified for the processing output ${OutputName}`);
    if (AppManaged) throw unsupported(`AppManaged (output ${OutputName})`);
    below(S3Output.LocalPath, `output ${OutputName}`);
  }
}

function unique(names: Set<string>, name: string): void {
  if (names.has(name)) throw invalid(`Names of processing inputs and outputs must be unique, ${name} is not`);
  names.add(name);
}

function below(local: string | undefined, what: string): void {
  if (local === undefined) throw invalid(`LocalPath must be specified for ${what}`);
  const normal = path.posix.normalize(local).replace(/\/$/, '');
  if (!normal.startsWith(`${BASE}/`)) throw invalid(`LocalPath of ${what} must be below ${BASE}/, it is ${local}`);
}
