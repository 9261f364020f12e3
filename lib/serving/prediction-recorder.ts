import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as firehose from 'aws-cdk-lib/aws-kinesisfirehose';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { ArtifactStore } from '../artifacts/artifact-store';
import { capturePrefix } from '../artifacts/contract';
import { acknowledgeWildcards } from '../common/acknowledge';
import { COMMON_ENV } from '../common/contract';
import { FUNCTION_LOGS, PlatformFunction } from '../common/function';
import { InlineRole } from '../common/inline-role';
import { SERVING_ENV, ServingSpec, VARIANT_NAME } from './contract';

export interface PredictionRecorderProps {
  readonly platformName: string;
  readonly spec: ServingSpec;
  readonly endpointArn: string;
  readonly store: ArtifactStore;
}

/**
 * What a serverless endpoint lacks: a function in front of it that answers like the endpoint and records every exchange, and the stream that
 * carries the records to S3 in the layout of SageMaker's data capture.
 *
 * @internal
 */
export class PredictionRecorder extends Construct {
  public readonly function: lambda.Function;

  constructor(scope: Construct, id: string, props: PredictionRecorderProps) {
    super(scope, id);
    const prefix = capturePrefix(props.spec.endpointName, VARIANT_NAME);
    // Of function and stream alike.
    const logGroup = new logs.LogGroup(this, FUNCTION_LOGS, { retention: logs.RetentionDays.THREE_MONTHS });
    const stream = this.makeStream(props.store, props.spec.endpointName, prefix, logGroup);
    this.function = new PlatformFunction(this, 'Function', {
      handler: 'serving/record-invocation',
      description: `Invokes the endpoint of ${props.spec.model} and records the exchange`,
      environment: {
        [COMMON_ENV.platform]: props.platformName,
        [SERVING_ENV.spec]: Stack.of(this).toJsonString(props.spec),
        [SERVING_ENV.deliveryStream]: stream.ref,
      },
      // InvokeEndpoint answers within 60 seconds or not at all.
      timeout: Duration.seconds(75),
    });
    this.function.addToRolePolicy(new iam.PolicyStatement({ actions: ['sagemaker:InvokeEndpoint'], resources: [props.endpointArn] }));
    this.function.addToRolePolicy(new iam.PolicyStatement({ actions: ['firehose:PutRecord'], resources: [stream.attrArn] }));
    // Exchanges above Firehose's limit are written directly.
    props.store.grantWritePredictions(this.function, prefix);
  }

  private makeStream(store: ArtifactStore, endpointName: string, prefix: string, logGroup: logs.LogGroup): firehose.CfnDeliveryStream {
    const errorPrefix = `capture-errors/${endpointName}/`;
    const role = this.makeStreamRole(store, logGroup, [prefix, errorPrefix]);
    const stream = new firehose.CfnDeliveryStream(this, 'Stream', {
      deliveryStreamType: 'DirectPut',
      deliveryStreamEncryptionConfigurationInput: { keyType: 'AWS_OWNED_CMK' },
      extendedS3DestinationConfiguration: {
        bucketArn: store.predictions.bucketArn,
        roleArn: role.roleArn,
        prefix: `${prefix}!{timestamp:yyyy/MM/dd/HH}/`,
        errorOutputPrefix: `${errorPrefix}!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/`,
        fileExtension: '.jsonl',
        bufferingHints: { intervalInSeconds: 60, sizeInMBs: 5 },
        cloudWatchLoggingOptions: {
          enabled: true,
          logGroupName: logGroup.logGroupName,
          logStreamName: logGroup.addStream('Delivery').logStreamName,
        },
      },
    });
    stream.node.addDependency(role);
    return stream;
  }

  private makeStreamRole(store: ArtifactStore, logGroup: logs.ILogGroup, prefixes: readonly string[]): iam.Role {
    const role = new InlineRole(this, 'StreamRole', {
      description: `Writes the recorded requests of ${this.node.path}`,
      assumedBy: new iam.ServicePrincipal('firehose.amazonaws.com', { conditions: { StringEquals: { 'sts:ExternalId': Stack.of(this).account } } }),
    });
    for (const prefix of prefixes) store.grantWritePredictions(role, prefix);
    const allow = (actions: string[], resources: string[]) => role.addToPolicy(new iam.PolicyStatement({ actions, resources }));
    allow(['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], [store.predictions.bucketArn]);
    allow(['logs:PutLogEvents'], [logGroup.logGroupArn]);
    acknowledgeWildcards(role, [logGroup.logGroupArn], 'The ARN of a log group ends with :* and stands for its streams.');
    return role;
  }
}
