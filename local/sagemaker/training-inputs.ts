import { cp, mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Channel, CreateTrainingJobCommandInput } from '@aws-sdk/client-sagemaker';
import * as tar from 'tar';
import { downloadAll, extractArchive, listKeys, locationOf, readObject, relativeName } from './storage';
import { hyperParameter } from './training-requests';

/** What keeps the toolkit inside the container from its code; the container ends with it, not the service. */
export class CodeFailure extends Error {}

/** Lays out what the container contract promises below the job's root: configuration and channels. */
export async function fetchInputs(s3: S3Client, request: CreateTrainingJobCommandInput, root: string): Promise<void> {
  const hyperParameters = request.HyperParameters ?? {};
  const config = (name: string, value: unknown) => writeFile(path.join(root, 'input/config', name), JSON.stringify(value));
  await config('hyperparameters.json', hyperParameters);
  await config('inputdataconfig.json', channelConfigurations(request));
  await config('resourceconfig.json', resourceConfiguration(request));
  for (const channel of request.InputDataConfig ?? []) await fetchChannel(s3, channel, request.RoleArn!, root);
}

/** The script's archive, from S3 or out of a channel; a job in network isolation reaches channels only. */
export async function fetchCode(s3: S3Client, request: CreateTrainingJobCommandInput, root: string): Promise<void> {
  const source = hyperParameter(request.HyperParameters!.sagemaker_submit_directory);
  const code = path.join(root, 'code');
  if (!source.startsWith('/')) {
    if (request.EnableNetworkIsolation) {
      throw new CodeFailure(
        `the code ${source} cannot be fetched in network isolation: give it as a channel and name its path below /opt/ml/input/data ` +
          'in sagemaker_submit_directory',
      );
    }
    return extractArchive(s3, source, path.join(root, 'sourcedir.tar.gz'), code);
  }
  const file = path.resolve(root, path.relative('/opt/ml', source));
  const found = file.startsWith(root + path.sep) ? await stat(file).catch(() => undefined) : undefined;
  if (!found) throw new CodeFailure(`there is no ${source} in the container`);
  if (found.isDirectory()) await cp(file, code, { recursive: true });
  else await tar.extract({ file, cwd: code });
}

async function fetchChannel(s3: S3Client, channel: Channel, roleArn: string, root: string): Promise<void> {
  const source = channel.DataSource!.S3DataSource!;
  const directory = path.join(root, 'input/data', channel.ChannelName!);
  await mkdir(directory, { recursive: true });
  const { bucket, names } = source.S3DataType === 'ManifestFile' ? await fromManifest(s3, source.S3Uri!) : await fromPrefix(s3, source.S3Uri!);
  if (names.size === 0) {
    throw new Error(
      `No S3 objects found under S3 URL "${source.S3Uri}" given in input data source. Please ensure that the bucket exists in the selected ` +
        `region, that objects exist under that S3 prefix, and that the role "${roleArn}" has "s3:ListBucket" permissions on bucket "${bucket}".`,
    );
  }
  await downloadAll(s3, bucket, names, directory);
}

async function fromPrefix(s3: S3Client, uri: string) {
  const { bucket, key: prefix } = locationOf(uri);
  const keys = await listKeys(s3, bucket, prefix);
  return { bucket, names: new Map(keys.map((key) => [key, relativeName(key, prefix)])) };
}

async function fromManifest(s3: S3Client, uri: string) {
  const [head, ...rest] = JSON.parse((await readObject(s3, locationOf(uri))).toString('utf8')) as [{ prefix: string }, ...string[]];
  const { bucket, key: prefix } = locationOf(head.prefix);
  return { bucket, names: new Map(rest.map((name) => [`${prefix}${name}`, name])) };
}

function channelConfigurations(request: CreateTrainingJobCommandInput) {
  const mode = request.AlgorithmSpecification!.TrainingInputMode;
  return Object.fromEntries(
    (request.InputDataConfig ?? []).map((channel) => [
      channel.ChannelName!,
      {
        TrainingInputMode: channel.InputMode ?? mode,
        S3DistributionType: channel.DataSource!.S3DataSource!.S3DataDistributionType ?? 'FullyReplicated',
        RecordWrapperType: 'None',
        ...(channel.ContentType ? { ContentType: channel.ContentType } : {}),
      },
    ]),
  );
}

function resourceConfiguration(request: CreateTrainingJobCommandInput) {
  const type = request.ResourceConfig!.InstanceType!;
  return {
    current_host: 'algo-1',
    current_instance_type: type,
    current_group_name: 'homogeneousCluster',
    hosts: ['algo-1'],
    instance_groups: [{ instance_group_name: 'homogeneousCluster', instance_type: type, hosts: ['algo-1'] }],
    network_interface_name: 'eth0',
  };
}
