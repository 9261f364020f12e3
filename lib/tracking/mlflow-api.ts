import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as apigatewayv2 from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { ArtifactStore } from '../artifacts/artifact-store';
import { acknowledgeWildcards } from '../common/acknowledge';
import { COMMON_ENV } from '../common/contract';
import { PlatformFunction } from '../common/function';
import { Validator } from '../common/validation';
import { apiAlarms } from '../operations/api-alarms';
import { API_ENV, API_PREFIXES } from '../platform/contract';
import { IModelRegistry } from '../registry/model-registry';
import { accessLogFormat } from './access-log';
import { ApiPath, APPROVE_PATHS, READ_PATHS, WRITE_PATHS } from './api-access';
import { IRunTracker } from './run-tracker';

/** Properties of an MlflowApi. */
export interface MlflowApiProps {
  /** Name of the platform: letters, digits and hyphens, first a letter, at most 32. */
  readonly platformName: string;

  /** Where artifacts live; the API reaches those below `mlflow/`, and reads those of the pipelines' runs. */
  readonly store: ArtifactStore;

  /** Models and versions. */
  readonly registry: IModelRegistry;

  /** Experiments and runs. */
  readonly tracker: IRunTracker;

  /**
   * Requests per second that the API takes over a longer time, from 1 to 10000; twice as many in one second. Those beyond are answered with 429, and
   * MLflow's client sends them again.
   *
   * @default 200
   */
  readonly requestsPerSecond?: number;

  /**
   * Who is told when the API fails or refuses requests for their number.
   *
   * @default - nobody: alarms only change their state
   */
  readonly alarmTopic?: sns.ITopic;

  /**
   * What happens to the key of the bearer tokens when it leaves the stack. Without it every token ends at once; nothing else is lost.
   *
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** API Gateway waits at most 30 seconds. */
const TIMEOUT = Duration.seconds(29);
const MEMORY_MEBIBYTES = 1024;
const STAGE = '$default';
/** Artifacts bucket: what clients log, and what the pipelines' runs made. */
const ARTIFACTS = 'mlflow/';
const RUN_ARTIFACTS = 'runs/';

/**
 * MLflow's REST API over the platform's own records: one HTTP API, one function, nothing that runs while nobody asks.
 *
 * `mlflow.set_tracking_uri()` takes `<url>/token` together with a bearer token (`npx mlops mlflow-env`), or `<url>/iam` with requests signed by IAM
 * credentials. Nothing is open: who may ask for what is decided by IAM, also who gets a token.
 */
export class MlflowApi extends Construct {
  /** Address of the API, without a slash at its end. */
  public readonly url: string;
  /** The HTTP API. */
  public readonly httpApi: apigatewayv2.IHttpApi;
  /** Function behind every path. */
  public readonly apiFunction: lambda.IFunction;
  /** Key that signs bearer tokens; its private half never leaves AWS KMS. */
  public readonly tokenKey: kms.IKey;
  /** Alarms on failed and on refused requests. */
  public readonly alarms: cloudwatch.Alarm[];

  private readonly store: ArtifactStore;

  /** Fails at synth if the name is not allowed or requestsPerSecond is not between 1 and 10000. */
  constructor(scope: Construct, id: string, props: MlflowApiProps) {
    super(scope, id);
    const { platformName, store, registry, tracker, requestsPerSecond = 200 } = props;
    new Validator(`MlflowApi ${this.node.path}`)
      .name('platformName', platformName)
      .range('requestsPerSecond', requestsPerSecond, 1, 10_000)
      .throwIfAny();

    this.tokenKey = new kms.Key(this, 'TokenKey', {
      description: `Signs the bearer tokens of the MLflow API of ${platformName}`,
      alias: `cdk-mlops/${platformName}/tokens`,
      keySpec: kms.KeySpec.ECC_NIST_P256,
      keyUsage: kms.KeyUsage.SIGN_VERIFY,
      removalPolicy: props.removalPolicy ?? RemovalPolicy.DESTROY,
    });
    this.apiFunction = this.makeFunction(platformName);
    tracker.grantReadWrite(this.apiFunction);
    registry.grantReadWrite(this.apiFunction);
    this.store = store;
    this.grantReadArtifacts(this.apiFunction);
    store.grantWriteArtifacts(this.apiFunction, ARTIFACTS);
    // MLflow's client deletes artifacts through its server. The bucket keeps the versions.
    const artifacts = [store.artifacts.arnForObjects(`${ARTIFACTS}*`)];
    iam.Grant.addToPrincipal({ grantee: this.apiFunction, actions: ['s3:DeleteObject'], resourceArns: artifacts });
    this.tokenKey.grant(this.apiFunction, 'kms:Sign', 'kms:GetPublicKey');

    const httpApi = new apigatewayv2.HttpApi(this, 'Api', {
      apiName: `${platformName}-mlflow`,
      description: `MLflow API of ${platformName}`,
      createDefaultStage: false,
    });
    const integration = new HttpLambdaIntegration('Function', this.apiFunction, { timeout: TIMEOUT });
    this.addRoute(httpApi, integration, API_PREFIXES.iam, new HttpIamAuthorizer());
    this.addRoute(httpApi, integration, API_PREFIXES.token);
    this.httpApi = httpApi;
    const accessLog = new logs.LogGroup(this, 'AccessLog', { retention: logs.RetentionDays.ONE_YEAR });
    const stage = new apigatewayv2.HttpStage(this, 'Stage', {
      httpApi,
      stageName: STAGE,
      autoDeploy: true,
      throttle: { rateLimit: requestsPerSecond, burstLimit: requestsPerSecond * 2 },
      accessLogSettings: { destination: new apigatewayv2.LogGroupLogDestination(accessLog), format: accessLogFormat(platformName) },
    });
    this.url = httpApi.apiEndpoint;
    this.alarms = apiAlarms(this, { platformName, stage, apiFunction: this.apiFunction, accessLog, alarmTopic: props.alarmTopic });
  }

  /** Reads everything that the API tells and the artifacts it names, and gets bearer tokens that read. */
  public grantRead(grantee: iam.IGrantable): iam.Grant {
    return this.grantPaths(grantee, READ_PATHS).combine(this.grantReadArtifacts(grantee));
  }

  /**
   * Reads, and changes everything that MLflow's client changes: experiments, runs, models, artifacts below `mlflow/`. Gets bearer tokens for both.
   */
  public grantWrite(grantee: iam.IGrantable): iam.Grant {
    return this.grantRead(grantee)
      .combine(this.grantPaths(grantee, WRITE_PATHS))
      .combine(this.store.grantWriteArtifacts(grantee, ARTIFACTS));
  }

  /**
   * Reads, and changes the state of versions: approves, rejects, promotes, archives and imports. No bearer token can do that: every such change is a
   * request signed by the person whose name then stands in the history.
   */
  public grantApprove(grantee: iam.IGrantable): iam.Grant {
    return this.grantRead(grantee).combine(this.grantPaths(grantee, APPROVE_PATHS));
  }

  private grantReadArtifacts(grantee: iam.IGrantable): iam.Grant {
    return this.store.grantReadArtifacts(grantee, ARTIFACTS).combine(this.store.grantReadArtifacts(grantee, RUN_ARTIFACTS));
  }

  private makeFunction(platformName: string): lambda.Function {
    return new PlatformFunction(this, 'Function', {
      handler: 'tracking/mlflow-api',
      description: `MLflow API of ${platformName}`,
      environment: { [COMMON_ENV.platform]: platformName, [API_ENV.tokenKey]: this.tokenKey.keyArn },
      timeout: TIMEOUT,
      memorySize: MEMORY_MEBIBYTES,
    });
  }

  private addRoute(httpApi: apigatewayv2.HttpApi, integration: HttpLambdaIntegration, prefix: string, authorizer?: HttpIamAuthorizer): void {
    const [route] = httpApi.addRoutes({ path: `${prefix}/{proxy+}`, methods: [apigatewayv2.HttpMethod.ANY], integration, authorizer });
    if (authorizer) return;
    Validations.of(route).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason: 'The function checks a signed bearer token on every request of this route; MLflow has no way to carry an IAM signature everywhere.',
    });
  }

  /** The stage is spelled out: a `*` in its place would reach over the slashes behind it and make the method meaningless. */
  private grantPaths(grantee: iam.IGrantable, paths: readonly ApiPath[]): iam.Grant {
    const resourceArns = paths.map(([method, path]) =>
      Stack.of(this).formatArn({
        service: 'execute-api',
        resource: this.httpApi.apiId,
        resourceName: `${STAGE}/${method}${API_PREFIXES.iam}${path}`,
      }),
    );
    acknowledgeWildcards(grantee, resourceArns, 'Ids, names and artifacts stand in the path; the grant ends at the kind of request.');
    return iam.Grant.addToPrincipal({ grantee, actions: ['execute-api:Invoke'], resourceArns });
  }
}
