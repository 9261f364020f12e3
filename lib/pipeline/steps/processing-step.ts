import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3assets from 'aws-cdk-lib/aws-s3-assets';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { modelRunsPrefix } from '../../artifacts/contract';
import { Validator } from '../../common/validation';
import { SageMakerRole } from '../../serving/sagemaker-role';
import { archiveOf } from '../code-archive';
import { bindNetwork, checkJob, grantVolumeKey, JobSettings, settingsOf } from '../job-settings';
import { at } from '../names';
import { SageMakerTask } from '../sagemaker-task';
import { stageArchive } from '../stage-archive';
import { PROVISIONING } from '../training-states';
import { IPipelineStep, PipelineStepConfig, PipelineStepContext } from './pipeline-step';
import { ProcessingStepProps } from './processing-step-props';

const ROOT = '/opt/ml/processing';
const CODE = 'code';
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

/** A step that SageMaker does as a processing job. Its result: `ProcessingJobName` and `outputs`, the S3 URI of each output by name. */
export class ProcessingStep implements IPipelineStep {
  /** Name of the step, and of its result: `$.steps.<stepId>`. */
  public readonly stepId: string;

  /** Fails at synth if a value is one that SageMaker would refuse, or the script is not there. */
  constructor(
    stepId: string,
    private readonly props: ProcessingStepProps,
  ) {
    this.stepId = stepId;
    const { directory, entryPoint, inputs = [], outputs = [] } = props;
    const validator = new Validator(`ProcessingStep ${stepId}`);
    checkJob(validator, props);
    validator
      .check((directory === undefined) === (entryPoint === undefined), {
        rule: 'code and script belong together',
        place: directory === undefined ? 'directory' : 'entryPoint',
        fix: 'state both, or leave both out where the image holds all code',
      })
      .range('inputs', inputs.length, 0, 9, 'SageMaker takes 10, one of them is the code')
      .range('outputs', outputs.length, 0, 10, 'SageMaker keeps at most 10');
    const names = [...inputs.map(({ name }) => name), ...outputs];
    for (const name of names) validator.pattern(name, name, NAME, 'names are letters, digits, - and _, first a letter', 'choose such a name');
    for (const list of [inputs.map(({ name }) => name), outputs]) {
      validator.check(new Set(list).size === list.length && !list.includes(CODE), {
        rule: 'names must differ, and none may be code',
        place: list === outputs ? 'outputs' : 'inputs',
        got: list.join(', '),
        fix: 'choose other names',
      });
    }
    validator.throwIfAny();
  }

  /** Makes the states; the pipeline calls it. */
  public bind(scope: Construct, context: PipelineStepContext): PipelineStepConfig {
    const { props, stepId } = this;
    const { image, outputs = [] } = props;
    const settings = settingsOf(props);
    const within = new Construct(scope, `${stepId}Job`);
    const description = `Runs ${stepId} of ${context.modelName}`;
    const role = props.role ?? new SageMakerRole(within, 'Role', { description, purposes: ['ProcessingJobs'] });
    const { store } = context;
    const runs = modelRunsPrefix(context.modelName);
    image._grantPull(within, role);
    store.grantReadData(role, runs);
    store.grantReadArtifacts(role, runs);
    store.grantWriteArtifacts(role, runs);
    store.encryptionKey.grant(role, 'kms:Encrypt');
    grantVolumeKey(props, role);
    const code = this.stage(within);
    if (code) grantRead(code, role);
    const kept = outputs.map((name) => output(name, context.outputUri(name)));
    const timeout = settings.maxRuntime.plus(PROVISIONING);
    const states = new SageMakerTask(scope, stepId, {
      action: 'createProcessingJob',
      waitForEnd: true,
      namePrefix: context.jobNamePrefix,
      passedRoles: [role],
      timeout,
      parameters: {
        ProcessingJobName: context.jobName,
        RoleArn: role.roleArn,
        AppSpecification: this.application(image._uri(within)),
        ProcessingResources: { ClusterConfig: cluster(settings) },
        StoppingCondition: { MaxRuntimeInSeconds: settings.maxRuntime.toSeconds() },
        ...this.inputs(code),
        ...(kept.length > 0 && { ProcessingOutputConfig: { Outputs: kept, KmsKeyId: store.encryptionKey.keyArn } }),
        ...(settings.environment && { Environment: settings.environment }),
        ...network(settings, bindNetwork(within, props, role)),
      },
      resultSelector: {
        ProcessingJobName: at('$.ProcessingJobName'),
        outputs: Object.fromEntries(outputs.map((name, index) => [name, at(`$.ProcessingOutputConfig.Outputs[${index}].S3Output.S3Uri`)])),
      },
      resultPath: context.resultPath,
    });
    return { states, longest: timeout };
  }

  private application(imageUri: string): object {
    const { entryPoint, arguments: own = [] } = this.props;
    const unpacked = `mkdir -p /tmp/code && tar -xzf ${ROOT}/input/${CODE}/* -C /tmp/code && cd /tmp/code && exec python3 "$0" "$@"`;
    return {
      ImageUri: imageUri,
      ...(entryPoint !== undefined && { ContainerEntrypoint: ['sh', '-c', unpacked, entryPoint] }),
      // A list with values of the run in it is put together by the state machine.
      ...(own.length > 0 && { ContainerArguments: own.some(sfn.JsonPath.isEncodedJsonPath) ? sfn.JsonPath.array(...own) : own }),
    };
  }

  private inputs(code?: s3assets.Asset): object {
    const all = [...(this.props.inputs ?? []), ...(code ? [{ name: CODE, source: code.s3ObjectUrl }] : [])];
    return all.length === 0 ? {} : { ProcessingInputs: all.map(({ name, source }) => input(name, source)) };
  }

  private stage(scope: Construct): s3assets.Asset | undefined {
    return this.props.directory === undefined ? undefined : stageArchive(scope, archiveOf(this.props.directory));
  }
}

/** SageMaker lists what it brings as a prefix, also where that is a single object. */
const grantRead = ({ bucket, s3ObjectKey }: s3assets.Asset, role: iam.Role): void => {
  const conditions = { StringEquals: { 's3:prefix': s3ObjectKey } };
  role.addToPolicy(new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: [bucket.arnForObjects(s3ObjectKey)] }));
  role.addToPolicy(new iam.PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn], conditions }));
};

const input = (name: string, source: string) => ({
  InputName: name,
  S3Input: {
    S3Uri: source,
    LocalPath: `${ROOT}/input/${name}`,
    S3DataType: 'S3Prefix',
    S3InputMode: 'File',
    S3DataDistributionType: 'FullyReplicated',
  },
});

const output = (name: string, uri: string) => ({
  OutputName: name,
  S3Output: { S3Uri: uri, LocalPath: `${ROOT}/output/${name}`, S3UploadMode: 'EndOfJob' },
});

const cluster = ({ instanceType, instanceCount, volumeGiB, volumeKey }: JobSettings) => ({
  ...{ InstanceType: instanceType, InstanceCount: instanceCount, VolumeSizeInGB: volumeGiB },
  ...(volumeKey && { VolumeKmsKeyId: volumeKey.keyArn }),
});

const network = ({ networkIsolation, encryptTraffic }: JobSettings, vpc?: object): object => {
  const config = {
    ...(networkIsolation && { EnableNetworkIsolation: true }),
    ...(encryptTraffic && { EnableInterContainerTrafficEncryption: true }),
    ...(vpc && { VpcConfig: vpc }),
  };
  return Object.keys(config).length === 0 ? {} : { NetworkConfig: config };
};
