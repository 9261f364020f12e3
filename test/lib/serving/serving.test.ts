import { App, Duration, Size, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import fc from 'fast-check';
import { ArtifactStore } from '../../../lib/artifacts/artifact-store';
import { METRICS } from '../../../lib/operations/contract';
import { ENDPOINT_NAME_MAX_LENGTH, type ServingSpec, SERVING_ENV } from '../../../lib/serving/contract';
import { endpointNameOf, platformSlug } from '../../../lib/serving/endpoint-name';
import { ModelEndpoint } from '../../../lib/serving/model-endpoint';
import { Serving } from '../../../lib/serving/serving';

const sample = (serving: Serving, modelName = 'Demand') => {
  const stack = new Stack(new App(), 'Stack', { env: { account: '111122223333', region: 'eu-west-1' } });
  const store = new ArtifactStore(stack, 'Store');
  const endpoint = new ModelEndpoint(stack, 'Endpoint', { modelName, platformName: 'MLOps', serving, store });
  return { stack, store, endpoint };
};

const REAL_TIME = Serving.realTime({ instanceType: 'ml.m5.large' });

describe('synth refuses', () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      'memory below 1 GiB',
      () => Serving.serverless({ memory: Size.mebibytes(512) }),
      /memory: SageMaker gives .* 1024 to 6144 MB .* steps of 1024, got 512 MB/,
    ],
    ['memory above 6 GiB', () => Serving.serverless({ memory: Size.gibibytes(7) }), /memory: .*got 7168 MB/],
    ['memory between the steps', () => Serving.serverless({ memory: Size.mebibytes(1536) }), /memory: .*got 1536 MB/],
    ['no concurrency', () => Serving.serverless({ maxConcurrency: 0 }), /maxConcurrency: SageMaker lets .* 1 to 200 .*got 0/],
    ['too much concurrency', () => Serving.serverless({ maxConcurrency: 201 }), /maxConcurrency: .*got 201/],
    ['half a request', () => Serving.serverless({ maxConcurrency: 1.5 }), /maxConcurrency: .*got 1\.5/],
    ['instances of EC2', () => Serving.realTime({ instanceType: 'm5.large' }), /instanceType: .*begin with ml\., got 'm5\.large'/],
    ['no instance', () => Serving.realTime({ instanceType: 'ml.m5.large', initialInstanceCount: 0 }), /initialInstanceCount: .*got 0/],
    [
      'no recording',
      () => Serving.realTime({ instanceType: 'ml.m5.large', captureSamplingPercentage: 0 }),
      /captureSamplingPercentage: .*1 to 100.*got 0/,
    ],
    ['a name that is none', () => sample(REAL_TIME, '1st model'), /modelName: must be letters, digits and hyphens/],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });

  test.each([1, 2, 3, 4, 5, 6])('nothing at %i GiB', (gibibytes) => {
    expect(() => Serving.serverless({ memory: Size.gibibytes(gibibytes), maxConcurrency: 200 })).not.toThrow();
  });
});

describe('the endpoint’s name', () => {
  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,31}$/);

  test('is one that SageMaker takes, short enough for what is named after it, and begins with the platform', () => {
    fc.assert(
      fc.property(name, name, (platform, model) => {
        const endpoint = endpointNameOf(platform, model);
        expect(endpoint).toMatch(/^[a-z0-9](-*[a-z0-9])*$/);
        expect(endpoint.length).toBeLessThanOrEqual(ENDPOINT_NAME_MAX_LENGTH);
        expect(endpoint.startsWith(`${platformSlug(platform)}-`)).toBe(true);
        expect(endpointNameOf(platform, model)).toBe(endpoint);
      }),
    );
  });

  test('differs between models whose names differ in their last letter only', () => {
    expect(endpointNameOf('a-long-platform-name', `${'m'.repeat(31)}a`)).not.toBe(endpointNameOf('a-long-platform-name', `${'m'.repeat(31)}b`));
  });

  test('is known at synth', () => {
    expect(sample(REAL_TIME, 'BikeDemand').endpoint.endpointName).toBe('mlops-bikedemand');
  });
});

describe('a serverless endpoint', () => {
  const { stack, endpoint } = sample(Serving.serverless({ memory: Size.gibibytes(2), maxConcurrency: 5 }));
  const template = Template.fromStack(stack);

  test('is recorded through an encrypted stream in the layout of SageMaker’s data capture', () => {
    template.hasResourceProperties('AWS::KinesisFirehose::DeliveryStream', {
      DeliveryStreamEncryptionConfigurationInput: { KeyType: 'AWS_OWNED_CMK' },
      ExtendedS3DestinationConfiguration: {
        Prefix: 'capture/mlops-demand/primary/!{timestamp:yyyy/MM/dd/HH}/',
        ErrorOutputPrefix: Match.stringLikeRegexp('!{firehose:error-output-type}'),
        CloudWatchLoggingOptions: { Enabled: true },
      },
    });
  });

  test('is called by the recording function, which knows how it is served, and by nobody else', () => {
    const [recorder] = Object.values(
      template.findResources('AWS::Lambda::Function', { Properties: { Description: Match.stringLikeRegexp('records the exchange') } }),
    );
    expect(Object.keys(recorder.Properties.Environment.Variables)).toEqual(expect.arrayContaining([SERVING_ENV.spec, SERVING_ENV.deliveryStream]));
    const invokers = Object.values(template.toJSON().Resources as Record<string, unknown>).filter((resource) =>
      JSON.stringify(resource).includes('sagemaker:InvokeEndpoint'),
    );
    expect(invokers).toHaveLength(1);
  });

  test('gives those who may invoke it the function, not the endpoint', () => {
    const { stack: own, endpoint: called } = sample(Serving.serverless());
    const role = new iam.Role(own, 'Client', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
    called.grantInvoke(role).assertSuccess();
    Template.fromStack(own).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: [Match.objectLike({ Action: 'lambda:InvokeFunction' })] },
    });
  });

  test('counts predictions where its function publishes them', () => {
    expect(endpoint.metricPredictions()).toMatchObject({ metricName: METRICS.predictions, dimensions: { service: 'MLOps', Model: 'Demand' } });
    expect(endpoint.metricRecordingFailed()).toMatchObject({ metricName: METRICS.recordingFailed });
  });

  test('hands the spec to whoever releases it', () => {
    const spec: ServingSpec = endpoint._toSpec();
    expect(spec).toMatchObject({ model: 'Demand', endpointName: 'mlops-demand', kind: 'SERVERLESS', memorySizeInMb: 2048, maxConcurrency: 5 });
  });
});

describe('an endpoint on instances', () => {
  const { stack, endpoint } = sample(REAL_TIME);
  const template = Template.fromStack(stack);

  test('needs no recorder: its role writes the captured requests below its own prefix', () => {
    template.resourceCountIs('AWS::KinesisFirehose::DeliveryStream', 0);
    expect(endpoint.recorder).toBeUndefined();
    const [role] = Object.values(template.findResources('AWS::IAM::Role', { Properties: { Description: 'Runs the model Demand' } }));
    const writes = (role.Properties.Policies[0].PolicyDocument.Statement as { Action: string | string[]; Resource: unknown }[]).filter(({ Action }) =>
      [Action].flat().includes('s3:PutObject'),
    );
    expect(JSON.stringify(writes.map(({ Resource }) => Resource))).toContain('capture/mlops-demand/primary/*');
  });

  test('is called directly', () => {
    const { stack: own, endpoint: called } = sample(REAL_TIME);
    const role = new iam.Role(own, 'Client', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
    called.grantInvoke(role).assertSuccess();
    Template.fromStack(own).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [
          {
            Action: 'sagemaker:InvokeEndpoint',
            Effect: 'Allow',
            Resource: { 'Fn::Join': ['', Match.arrayWith([':sagemaker:eu-west-1:111122223333:endpoint/mlops-demand'])] },
          },
        ],
      },
    });
  });

  test('has the metrics of SageMaker', () => {
    expect(endpoint.metricPredictions({ period: Duration.hours(1) })).toMatchObject({
      namespace: 'AWS/SageMaker',
      metricName: 'Invocations',
      dimensions: { EndpointName: 'mlops-demand', VariantName: 'primary' },
      period: Duration.hours(1),
    });
    expect(endpoint.metricModelLatency().metricName).toBe('ModelLatency');
    expect(endpoint.metricInvocation5XXErrors().metricName).toBe('Invocation5XXErrors');
  });
});

describe('removal', () => {
  test('one function removes the endpoints of all models; its permissions end at the platform and outlive the resource', () => {
    const stack = new Stack(new App(), 'Stack', { env: { account: '111122223333', region: 'eu-west-1' } });
    const store = new ArtifactStore(stack, 'Store');
    for (const modelName of ['One', 'Two']) new ModelEndpoint(stack, modelName, { modelName, platformName: 'MLOps', serving: REAL_TIME, store });
    const template = Template.fromStack(stack);
    template.resourceCountIs('Custom::MlOpsEndpointRemoval', 2);
    template.resourceCountIs('AWS::Lambda::Function', 1);
    const [[functionId]] = Object.entries(template.findResources('AWS::Lambda::Function'));
    for (const { Properties, DependsOn } of Object.values(template.findResources('Custom::MlOpsEndpointRemoval'))) {
      expect(Properties.EndpointName).toMatch(/^mlops-(one|two)$/);
      expect(DependsOn).toContain(functionId);
    }
    const [[roleId, role]] = Object.entries(
      template.findResources('AWS::IAM::Role', {
        Properties: {
          Policies: [
            Match.objectLike({
              PolicyDocument: {
                Statement: Match.arrayWith([Match.objectLike({ Action: ['sagemaker:DescribeEndpoint', 'sagemaker:DeleteEndpoint'] })]),
              },
            }),
          ],
        },
      }),
    );
    expect(template.toJSON().Resources[functionId].DependsOn).toContain(roleId);
    const statements = role.Properties.Policies[0].PolicyDocument.Statement as { Action: string | string[]; Resource: unknown }[];
    const everywhere = statements.filter(({ Resource }) => Resource === '*').flatMap(({ Action }) => Action);
    expect(everywhere.sort()).toEqual(['sagemaker:ListEndpointConfigs', 'sagemaker:ListModels']);
    expect(JSON.stringify(statements)).toContain('endpoint/mlops-*');
  });
});
