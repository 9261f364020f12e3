import { App, Duration, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import cdkJson from '../../../cdk.json';
import { ArtifactStore } from '../../../lib/artifacts/artifact-store';

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

const list = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

const newStack = (context: Record<string, unknown> = cdkJson.context): Stack => new Stack(new App({ context }), 'Store');

const newRole = (stack: Stack): iam.Role => new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('sagemaker.amazonaws.com') });

const statements = (template: Template): readonly Statement[] =>
  Object.values(template.findResources('AWS::IAM::Policy')).flatMap((policy) => policy.Properties.PolicyDocument.Statement as Statement[]);

const actionsOf = (template: Template): readonly string[] => statements(template).flatMap(({ Action }) => list(Action));

describe('buckets', () => {
  test.each<[string, Record<string, unknown>]>([
    ['recommended flags', cdkJson.context],
    ['no flags', {}],
  ])('are private, versioned and encrypted with %s', (_, context) => {
    const stack = newStack(context);
    new ArtifactStore(stack, 'Store');
    const buckets = Object.values(Template.fromStack(stack).findResources('AWS::S3::Bucket'));
    expect(buckets).toHaveLength(5);
    for (const { Properties: bucket, DeletionPolicy } of buckets) {
      expect(DeletionPolicy).toBe('Retain');
      expect(bucket.AccessControl).toBeUndefined();
      expect(bucket.VersioningConfiguration).toEqual({ Status: 'Enabled' });
      expect(bucket.OwnershipControls.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
      expect(Object.values(bucket.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    }
    const data = buckets.filter(({ Properties }) => Properties.LoggingConfiguration);
    expect(data).toHaveLength(4);
    for (const { Properties: bucket } of data) {
      const [encryption] = bucket.BucketEncryption.ServerSideEncryptionConfiguration;
      expect(encryption.BucketKeyEnabled).toBe(true);
      expect(encryption.ServerSideEncryptionByDefault.SSEAlgorithm).toBe('aws:kms');
    }
  });

  test('refuse every request without TLS', () => {
    const stack = newStack();
    new ArtifactStore(stack, 'Store');
    const policies = Object.values(Template.fromStack(stack).findResources('AWS::S3::BucketPolicy'));
    expect(policies).toHaveLength(5);
    for (const { Properties } of policies) {
      expect(Properties.PolicyDocument.Statement).toContainEqual(
        expect.objectContaining({ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      );
    }
  });

  test('share one key that rotates', () => {
    const stack = newStack();
    new ArtifactStore(stack, 'Store');
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::KMS::Key', 1);
    template.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Retain', Properties: { EnableKeyRotation: true } });
  });

  test('forget work files of the reports when no execution can be redriven to need them', () => {
    const stack = newStack();
    new ArtifactStore(stack, 'Store');
    Template.fromStack(stack).hasResourceProperties('AWS::S3::Bucket', {
      LoggingConfiguration: { LogFilePrefix: 'reports/' },
      LifecycleConfiguration: {
        Rules: [{ Id: 'Leftovers' }, { Id: 'Work', Prefix: 'work/', ExpirationInDays: 15, NoncurrentVersionExpiration: { NoncurrentDays: 1 } }],
      },
    });
  });

  test('keep recorded requests for the stated time, and everything else for good', () => {
    const stack = newStack();
    new ArtifactStore(stack, 'Store', { predictionsRetention: Duration.days(400) });
    const rules = Object.values(Template.fromStack(stack).findResources('AWS::S3::Bucket'))
      .filter(({ Properties }) => Properties.LoggingConfiguration)
      .map(({ Properties }) => [Properties.LoggingConfiguration.LogFilePrefix, Properties.LifecycleConfiguration.Rules]);
    for (const [prefix, [leftovers, ...others]] of rules) {
      expect(leftovers.NoncurrentVersionExpiration).toEqual({ NoncurrentDays: 90 });
      expect(leftovers.AbortIncompleteMultipartUpload).toEqual({ DaysAfterInitiation: 7 });
      expect(leftovers.ExpirationInDays).toBeUndefined();
      const lasting = others.filter(({ Prefix }: { Prefix?: string }) => Prefix !== 'work/');
      expect(lasting.map(({ ExpirationInDays }: { ExpirationInDays: number }) => ExpirationInDays)).toEqual(prefix === 'predictions/' ? [400] : []);
    }
  });

  test('tell EventBridge nothing unless asked to', () => {
    const quiet = newStack();
    new ArtifactStore(quiet, 'Store');
    Template.fromStack(quiet).resourceCountIs('Custom::S3BucketNotifications', 0);
    const loud = newStack();
    new ArtifactStore(loud, 'Store', { eventBridgeEnabled: true });
    Template.fromStack(loud).resourceCountIs('Custom::S3BucketNotifications', 4);
  });

  test('fails at synth with every retention that S3 would refuse, in one message', () => {
    expect(() => new ArtifactStore(newStack(), 'Store', { predictionsRetention: Duration.hours(12), accessLogRetention: Duration.days(0) })).toThrow(
      /ArtifactStore Store\/Store: 3 problems[\s\S]*predictionsRetention: must be between 1 and 36500, got 0.5[\s\S]*accessLogRetention: .* got 0/,
    );
  });
});

describe('grants', () => {
  test('end at the prefix, for objects and for the listing', () => {
    const stack = newStack();
    new ArtifactStore(stack, 'Store').grantReadData(newRole(stack), 'datasets/Bikes/');
    const template = Template.fromStack(stack);
    const [listing, objects] = statements(template);
    expect(listing).toMatchObject({ Action: 's3:ListBucket', Condition: { StringLike: { 's3:prefix': 'datasets/Bikes/*' } } });
    expect(objects.Action).toEqual(['s3:GetObject', 's3:GetObjectVersion']);
    expect(JSON.stringify(objects.Resource)).toContain('/datasets/Bikes/*');
  });

  test('never allow deletion, and never the administration of a bucket or key', () => {
    const stack = newStack();
    const store = new ArtifactStore(stack, 'Store');
    const role = newRole(stack);
    for (const grant of [
      store.grantReadArtifacts(role),
      store.grantWriteArtifacts(role),
      store.grantReadData(role),
      store.grantWriteData(role),
      store.grantReadPredictions(role),
      store.grantWritePredictions(role),
      store.grantReadReports(role),
      store.grantWriteReports(role),
    ]) {
      expect(grant.success).toBe(true);
    }
    const objects = ['s3:ListBucket', 's3:GetObject', 's3:GetObjectVersion', 's3:PutObject', 's3:AbortMultipartUpload'];
    expect(new Set(actionsOf(Template.fromStack(stack)))).toEqual(new Set([...objects, 'kms:Decrypt', 'kms:GenerateDataKey']));
  });

  test('tell a function the name of the bucket', () => {
    const stack = newStack();
    const store = new ArtifactStore(stack, 'Store');
    const handler = new lambda.Function(stack, 'Handler', {
      code: lambda.Code.fromInline('exports.handler = async () => {}'),
      handler: 'index.handler',
      runtime: lambda.Runtime.NODEJS_24_X,
    });
    store.grantWriteReports(handler, 'gate/');
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { MLOPS_REPORTS_BUCKET: { Ref: Match.stringLikeRegexp('StoreReports') } } },
    });
  });

  test('cover imported buckets and their key, for which nothing is made', () => {
    const stack = newStack();
    const key = kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:111122223333:key/1');
    const bucket = s3.Bucket.fromBucketName(stack, 'Bucket', 'lake');
    const store = new ArtifactStore(stack, 'Store', {
      encryptionKey: key,
      artifactsBucket: bucket,
      dataBucket: bucket,
      predictionsBucket: bucket,
      reportsBucket: bucket,
    });
    store.grantReadData(newRole(stack), 'sales/');
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::S3::Bucket', 0);
    template.resourceCountIs('AWS::KMS::Key', 0);
    expect(statements(template)).toContainEqual(
      expect.objectContaining({ Action: 'kms:Decrypt', Resource: 'arn:aws:kms:eu-west-1:111122223333:key/1' }),
    );
  });

  const nagged = (grant: (store: ArtifactStore, role: iam.Role) => void): (() => unknown) => {
    const app = new App({ context: cdkJson.context });
    const stack = new Stack(app, 'Store');
    grant(new ArtifactStore(stack, 'Store'), newRole(stack));
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    return () => app.synth();
  };

  test('leave cdk-nag nothing to report', () => {
    const synth = nagged((store, role) => {
      store.grantReadArtifacts(role, 'code/');
      store.grantWritePredictions(role);
    });
    expect(synth).not.toThrow();
  });

  test('silence no wildcard of the same role that somebody else added', () => {
    const synth = nagged((store, role) => {
      store.grantReadData(role, 'datasets/');
      role.addToPolicy(new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: [store.data.arnForObjects('*')] }));
    });
    expect(synth).toThrow(/[Vv]alidation/);
  });
});
