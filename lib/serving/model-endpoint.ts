import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3assets from 'aws-cdk-lib/aws-s3-assets';
import { Construct, IDependable } from 'constructs';
import { ArtifactStore } from '../artifacts/artifact-store';
import { CAPTURE_ROOT, capturePrefix, modelRunsPrefix } from '../artifacts/contract';
import { acknowledgeWildcards } from '../common/acknowledge';
import { claim } from '../common/claims';
import { Validator } from '../common/validation';
import { METRICS, METRICS_NAMESPACE, MODEL_DIMENSION, PLATFORM_DIMENSION } from '../operations/contract';
import { ServingSpec, VARIANT_NAME } from './contract';
import { endpointNameOf } from './endpoint-name';
import { EndpointRemoval } from './endpoint-removal';
import { PredictionRecorder } from './prediction-recorder';
import { SageMakerRole } from './sagemaker-role';
import { Serving } from './serving';

/** Properties of a model's endpoint. */
export interface ModelEndpointProps {
  /** Name of the model: letters, digits and hyphens, first a letter, at most 32. */
  readonly modelName: string;

  /** Name of the platform, as allowed for the model's; with that it makes the endpoint's name. */
  readonly platformName: string;

  /** How predictions are made. */
  readonly serving: Serving;

  /** Where models lie and recorded requests go. */
  readonly store: ArtifactStore;
}

/**
 * Where a model answers. The endpoint itself is made by the pipeline when the first version is approved and removed with this construct;
 * its name, its role and the way to call it exist from the first deployment on.
 */
export class ModelEndpoint extends Construct {
  /** Name of the endpoint, lower case, the same for every version. */
  public readonly endpointName: string;
  /** ARN of the endpoint. */
  public readonly endpointArn: string;
  /** Role that the model's containers run under, also when they score a holdout. */
  public readonly executionRole: iam.Role;
  /** Function that clients call instead of a serverless endpoint; undefined where the endpoint runs on instances. */
  public readonly recorder?: lambda.IFunction;

  private readonly spec: ServingSpec;
  private readonly smokeRequests?: s3assets.Asset;
  private readonly removal: EndpointRemoval;
  private readonly platformName: string;

  /** Fails at synth if a name is not allowed, or another endpoint of the stack has the name that they make. */
  constructor(scope: Construct, id: string, props: ModelEndpointProps) {
    super(scope, id);
    this.endpointName = endpointNameOf(props.platformName, props.modelName);
    const owner = claim(this, `endpoint/${this.endpointName}`);
    new Validator(`ModelEndpoint ${this.node.path}`)
      .name('modelName', props.modelName)
      .name('platformName', props.platformName)
      .check(owner === undefined, {
        rule: `platform and model give the endpoint the name '${this.endpointName}', which ${owner} has`,
        place: 'modelName',
        got: `'${props.modelName}'`,
        fix: 'choose another name for the model or the platform',
      })
      .throwIfAny();
    const { store } = props;
    this.platformName = props.platformName;
    this.endpointArn = Stack.of(this).formatArn({ service: 'sagemaker', resource: 'endpoint', resourceName: this.endpointName });
    this.smokeRequests = props.serving._smokeRequests?._stage(this);
    this.spec = {
      model: props.modelName,
      endpointName: this.endpointName,
      ...props.serving._toSpec(),
      captureUri: store.predictions.s3UrlForObject(CAPTURE_ROOT.replace(/\/$/, '')),
      kmsKeyArn: store.encryptionKey.keyArn,
      ...(this.smokeRequests && { smokeRequestsUri: this.smokeRequests.s3ObjectUrl }),
    };

    this.executionRole = new SageMakerRole(this, 'ExecutionRole', {
      description: `Runs the model ${props.modelName}`,
      purposes: ['Endpoints', 'TransformJobs'],
    });
    store.grantReadArtifacts(this.executionRole, modelRunsPrefix(props.modelName));

    this.removal = new EndpointRemoval(this, 'Removal', { platformName: props.platformName, endpointName: this.endpointName });

    if (this.spec.kind === 'SERVERLESS') {
      const { endpointArn, spec, platformName } = this;
      this.recorder = new PredictionRecorder(this, 'Recorder', { platformName, spec, endpointArn, store }).function;
    } else {
      store.grantWritePredictions(this.executionRole, capturePrefix(this.endpointName, VARIANT_NAME));
      // A deployment looks at its rollback alarms in the name of this role.
      const alarms = this._alarmsArn;
      this.executionRole.addToPolicy(new iam.PolicyStatement({ actions: ['cloudwatch:DescribeAlarms'], resources: [alarms] }));
      acknowledgeWildcards(this.executionRole, [alarms], 'Alarms of configurations are made at run time below the endpoint’s name.');
    }
  }

  /**
   * Allows a grantee to get predictions: through the recording function of a serverless endpoint (payload: what InvokeEndpoint takes),
   * or from the endpoint itself where it runs on instances.
   */
  public grantInvoke(grantee: iam.IGrantable): iam.Grant {
    if (this.recorder) return this.recorder.grantInvoke(grantee);
    return iam.Grant.addToPrincipal({ grantee, actions: ['sagemaker:InvokeEndpoint'], resourceArns: [this.endpointArn] });
  }

  /**
   * Predictions answered by the recording function; instance endpoints: invocations.
   *
   * @default - sum over 5 minutes
   */
  public metricPredictions(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.recorder ? this.platformMetric(METRICS.predictions, options) : this.metricInvocations(options);
  }

  /**
   * Predictions that were answered but could not be recorded, and so will not be monitored.
   *
   * @default - sum over 5 minutes
   */
  public metricRecordingFailed(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.platformMetric(METRICS.recordingFailed, options);
  }

  /**
   * Requests that reached the endpoint.
   *
   * @default - sum over 5 minutes
   */
  public metricInvocations(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.endpointMetric('Invocations', 'Sum', options);
  }

  /**
   * Requests answered with a status from 500, by SageMaker or by the model.
   *
   * @default - sum over 5 minutes
   */
  public metricInvocation5XXErrors(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.endpointMetric('Invocation5XXErrors', 'Sum', options);
  }

  /**
   * Time the model takes for a request, in microseconds.
   *
   * @default - 90th percentile over 5 minutes
   */
  public metricModelLatency(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.endpointMetric('ModelLatency', 'p90', options);
  }

  /** @internal */
  public _toSpec(): ServingSpec {
    return this.spec;
  }

  /**
   * Requests that prove a version: for the release alone.
   *
   * @internal
   */
  public _grantReadSmokeRequests(grantee: iam.IGrantable): void {
    const asset = this.smokeRequests;
    if (asset) iam.Grant.addToPrincipal({ grantee, actions: ['s3:GetObject'], resourceArns: [asset.bucket.arnForObjects(asset.s3ObjectKey)] });
  }

  /**
   * Alarms of the endpoint's configurations.
   *
   * @internal
   */
  public get _alarmsArn(): string {
    const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
    return Stack.of(this).formatArn({ service: 'cloudwatch', resource: 'alarm', resourceName: `${this.endpointName}-*`, arnFormat });
  }

  /**
   * What may make the endpoint depends on this, so that it is gone before the endpoint is removed.
   *
   * @internal
   */
  public get _removal(): IDependable {
    return this.removal;
  }

  private platformMetric(metricName: string, options: cloudwatch.MetricOptions): cloudwatch.Metric {
    const dimensionsMap = { [PLATFORM_DIMENSION]: this.platformName, [MODEL_DIMENSION]: this.spec.model };
    return new cloudwatch.Metric({ namespace: METRICS_NAMESPACE, metricName, dimensionsMap, statistic: 'Sum', ...options });
  }

  private endpointMetric(metricName: string, statistic: string, options: cloudwatch.MetricOptions): cloudwatch.Metric {
    const dimensionsMap = { EndpointName: this.endpointName, VariantName: VARIANT_NAME };
    return new cloudwatch.Metric({ namespace: 'AWS/SageMaker', metricName, dimensionsMap, statistic, ...options });
  }
}
