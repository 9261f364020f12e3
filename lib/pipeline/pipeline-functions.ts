import { ArnFormat, Duration, Size, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3assets from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { baselinesPrefix, datasetPrefix, gateReportsPrefix, modelQuarantinePrefix, modelRunsPrefix } from '../artifacts/contract';
import { acknowledgeWildcards } from '../common/acknowledge';
import { COMMON_ENV } from '../common/contract';
import { PlatformFunction } from '../common/function';
import { constraintsKey } from '../monitoring/contract';
import { RETRAINING_ENV } from '../retraining/contract';
import { SERVING_ENV } from '../serving/contract';
import { PIPELINE_ENV, PipelineSpec } from './contract';
import { TrainingPipelineProps } from './training-pipeline-props';

/**
 * The steps of a pipeline that know their model, each with a role of its own.
 *
 * @internal
 */
export class PipelineFunctions extends Construct {
  public readonly prepare: lambda.Function;
  public readonly evaluate: lambda.Function;
  public readonly register: lambda.Function;
  public readonly release: lambda.Function;

  constructor(
    scope: Construct,
    id: string,
    props: TrainingPipelineProps,
    spec: PipelineSpec,
    code: s3assets.Asset | undefined,
    private readonly logGroup: logs.ILogGroup,
  ) {
    super(scope, id);
    const environment = { [COMMON_ENV.platform]: props.platformName, [PIPELINE_ENV.spec]: Stack.of(this).toJsonString(spec) };
    this.prepare = this.makePrepare(props, environment, code);
    this.evaluate = this.makeEvaluate(props, environment);
    this.register = this.makeRegister(props, environment);
    this.release = this.makeRelease(props);
  }

  private makePrepare(props: TrainingPipelineProps, environment: { [name: string]: string }, code?: s3assets.Asset): lambda.Function {
    const { modelName, store } = props;
    const prepare = new PlatformFunction(this, 'PrepareData', {
      logGroup: this.logGroup,
      handler: 'pipeline/prepare-data',
      description: `Validates the data of ${modelName} and splits off the holdout`,
      environment,
      timeout: Duration.minutes(15),
      // Rows go by, and stand on the disk to be sorted by time, with what is known of each; memory brings the one core that reads them.
      memorySize: 1769,
      ephemeralStorageSize: Size.gibibytes(8),
    });
    if (props.instancePrices) prepare.addEnvironment(PIPELINE_ENV.prices, JSON.stringify(props.instancePrices));
    const runs = modelRunsPrefix(modelName);
    store.grantReadData(prepare, datasetPrefix(modelName));
    store.grantReadData(prepare, constraintsKey(modelName));
    store.grantReadData(prepare, runs);
    store.grantWriteData(prepare, runs);
    store.grantWriteData(prepare, modelQuarantinePrefix(modelName));
    store.grantReadArtifacts(prepare, runs);
    store.grantWriteArtifacts(prepare, runs);
    store.grantReadReports(prepare, baselinesPrefix(modelName));
    if (code) {
      prepare.addToRolePolicy(new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: [code.bucket.arnForObjects(code.s3ObjectKey)] }));
    }
    props.registry.grantRead(prepare);
    props.tracker.grantReadWrite(prepare);
    return prepare;
  }

  private makeEvaluate(props: TrainingPipelineProps, environment: { [name: string]: string }): lambda.Function {
    const { modelName, store } = props;
    const evaluate = new PlatformFunction(this, 'Evaluate', {
      logGroup: this.logGroup,
      handler: 'pipeline/evaluate',
      description: `Judges a candidate of ${modelName} against the champion`,
      environment,
      timeout: Duration.minutes(15),
      memorySize: 1769,
    });
    store.grantReadData(evaluate, modelRunsPrefix(modelName));
    store.grantReadArtifacts(evaluate, modelRunsPrefix(modelName));
    store.grantWriteReports(evaluate, gateReportsPrefix(modelName));
    props.tracker.grantReadWrite(evaluate);
    return evaluate;
  }

  private makeRegister(props: TrainingPipelineProps, environment: { [name: string]: string }): lambda.Function {
    const { modelName, store } = props;
    const register = new PlatformFunction(this, 'Register', {
      logGroup: this.logGroup,
      handler: 'registry/register-version',
      description: `Registers a version of ${modelName}, or compares a rebuilt one with its record`,
      environment: { ...environment, [RETRAINING_ENV.busName]: props.bus.eventBusName },
      // A model of gigabytes is unpacked as it streams by, part after part; memory brings the CPU that decompresses and digests it.
      timeout: Duration.minutes(15),
      memorySize: 1769,
    });
    store.grantReadData(register, modelRunsPrefix(modelName));
    store.grantReadArtifacts(register, modelRunsPrefix(modelName));
    store.grantWriteArtifacts(register, modelRunsPrefix(modelName));
    props.tracker.grantReadWrite(register);
    props.registry.grantReadWrite(register);
    props.bus.grantPutEventsTo(register);
    return register;
  }

  private makeRelease(props: TrainingPipelineProps): lambda.Function {
    const { endpoint, platformName, modelName, store } = props;
    const stack = Stack.of(this);
    const serving = endpoint._toSpec();
    const release = new PlatformFunction(this, 'Release', {
      logGroup: this.logGroup,
      handler: 'serving/release',
      description: `Moves the endpoint of ${modelName} to a version`,
      environment: {
        [COMMON_ENV.platform]: platformName,
        [RETRAINING_ENV.busName]: props.bus.eventBusName,
        [SERVING_ENV.spec]: stack.toJsonString(serving),
      },
      // Smoke requests, or the time until a deployment that is under way has turned round.
      timeout: Duration.minutes(5),
      memorySize: 256,
    });
    // How a release ended stands on the version's record.
    props.registry.grantReadWrite(release);
    store.grantWriteReports(release, gateReportsPrefix(modelName));
    props.tracker.grantReadWrite(release);
    props.bus.grantPutEventsTo(release);
    // Smoke requests: rows of the run's holdout, and the scores that its candidate was judged by.
    store.grantReadData(release, modelRunsPrefix(modelName));
    store.grantReadArtifacts(release, modelRunsPrefix(modelName));
    endpoint._grantReadSmokeRequests(release);
    // Whether the run is still there whose version the endpoint runs. The state machine's own name would be known only after this function.
    const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
    const executions = stack.formatArn({ service: 'states', resource: 'execution', resourceName: `*:${modelName}-*`, arnFormat });
    release.addToRolePolicy(new iam.PolicyStatement({ actions: ['states:DescribeExecution'], resources: [executions] }));
    acknowledgeWildcards(release, [executions], 'Runs are named at run time, and their names begin with the model’s.');
    const configs = stack.formatArn({ service: 'sagemaker', resource: 'endpoint-config', resourceName: `${endpoint.endpointName}-*` });
    const allow = (actions: string[], resources: string[], conditions?: { [name: string]: unknown }) =>
      release.addToRolePolicy(new iam.PolicyStatement({ actions, resources, conditions }));
    const onEndpoint = ['AddTags', 'CreateEndpoint', 'DeleteEndpoint', 'DescribeEndpoint', 'InvokeEndpoint', 'UpdateEndpoint'];
    const onConfigs = ['AddTags', 'CreateEndpointConfig', 'DeleteEndpointConfig', 'DescribeEndpointConfig', 'ListTags'];
    allow(onEndpoint.map((name) => `sagemaker:${name}`), [endpoint.endpointArn]);
    // Making and updating an endpoint is also checked on the configuration it gets.
    allow([...onConfigs.map((name) => `sagemaker:${name}`), 'sagemaker:CreateEndpoint', 'sagemaker:UpdateEndpoint'], [configs]);
    const onAlarms = ['DeleteAlarms', 'DescribeAlarms', 'PutMetricAlarm', 'SetAlarmState'];
    allow(onAlarms.map((name) => `cloudwatch:${name}`), [endpoint._alarmsArn]);
    // Lists know no resources; what belongs to the endpoint is told by its tag.
    allow(['sagemaker:ListEndpointConfigs'], ['*']);
    if (serving.kind === 'REAL_TIME') {
      // The volumes of the instances are encrypted by grants that SageMaker makes in the caller's name.
      const forServices = { Bool: { 'kms:GrantIsForAWSResource': 'true' } };
      allow(['kms:DescribeKey'], [store.encryptionKey.keyArn]);
      allow(['kms:CreateGrant'], [store.encryptionKey.keyArn], forServices);
    }
    const reason = 'Configurations and their alarms are made at run time below the endpoint’s name; lists know no resources.';
    acknowledgeWildcards(release, [configs, endpoint._alarmsArn, '*'], reason);
    return release;
  }
}
