"""IAM holds on the engine's port, for SageMaker too, and the recorder tells who asked for what."""

import importlib.metadata
import json
import unittest
import urllib.error
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from harness import ACCOUNT, REGION, EngineTest

ARN = f'arn:aws:sagemaker:{REGION}:{ACCOUNT}'


class IamTest(EngineTest):
    def session(self, role, service='lambda.amazonaws.com'):
        status, keys = self.door('POST', 'session', {'roleArn': role, 'service': service})
        self.assertEqual(status, 200, keys)
        return keys

    def refused(self, call, **params):
        with self.assertRaises(ClientError) as caught:
            call(**params)
        return caught.exception.response['Error']

    def test_private_routes_need_the_token(self):
        for name in ('health', 'permissions', 'calls'):
            self.assertEqual(self.door('GET', name, token=None)[0], 403)
            self.assertEqual(self.door('GET', name, token='wrong')[0], 403)

    def test_tls_only_bucket_policy_lets_loopback_requests_through(self):
        s3 = self.client('s3')
        s3.create_bucket(Bucket='tls-only')
        s3.put_bucket_policy(Bucket='tls-only', Policy=json.dumps({'Version': '2012-10-17', 'Statement': [{
            'Effect': 'Deny', 'Principal': '*', 'Action': 's3:*', 'Resource': ['arn:aws:s3:::tls-only', 'arn:aws:s3:::tls-only/*'],
            'Condition': {'Bool': {'aws:SecureTransport': 'false'}}}]}))
        keys = self.session(self.role('tls', [(['s3:PutObject'], 'arn:aws:s3:::tls-only/*')], 'lambda.amazonaws.com'))
        self.client('s3', keys).put_object(Bucket='tls-only', Key='a', Body=b'1')

    def test_session_needs_an_existing_role_that_trusts_the_service(self):
        role = self.role('trusts-lambda', (), 'lambda.amazonaws.com')
        self.assertEqual(self.door('POST', 'session', {'roleArn': role, 'service': 'sagemaker.amazonaws.com'})[0], 403)
        missing = self.door('POST', 'session', {'roleArn': f'arn:aws:iam::{ACCOUNT}:role/none', 'service': 'sagemaker.amazonaws.com'})
        self.assertEqual(missing[0], 403)
        self.assertIn('does not exist', missing[1]['message'])

    def test_images_of_aws_have_a_digest_in_the_version_that_is_installed(self):
        # The tests' interpreter is the engine's.
        version = importlib.metadata.version('xgboost-cpu')
        tag = '-'.join(version.rsplit('.', 1))
        ask = {'registryId': '683313688378', 'repositoryName': 'sagemaker-xgboost'}
        repository = f'arn:aws:ecr:{REGION}:683313688378:repository/sagemaker-xgboost'
        client = self.client('ecr', self.session(self.role('asks', [('ecr:BatchGetImage', repository)], 'lambda.amazonaws.com')))
        digest = client.batch_get_image(**ask, imageIds=[{'imageTag': tag}])['images'][0]['imageId']['imageDigest']
        self.assertRegex(digest, '^sha256:[0-9a-f]{64}$')
        self.assertEqual(client.batch_get_image(**ask, imageIds=[{'imageDigest': digest}])['images'][0]['imageId']['imageDigest'], digest)
        with self.assertRaises(ClientError):
            client.batch_get_image(**ask, imageIds=[{'imageTag': '0.1-0'}])

    def test_sagemaker_call_is_allowed_on_its_resource_only(self):
        job_role = self.role('job', (), 'sagemaker.amazonaws.com')
        keys = self.session(self.role('caller', [
            (['sagemaker:CreateTrainingJob', 'sagemaker:DescribeTrainingJob'], f'{ARN}:training-job/bikes-*'),
            ('iam:PassRole', job_role, {'StringEquals': {'iam:PassedToService': 'sagemaker.amazonaws.com'}}),
        ], 'lambda.amazonaws.com'))
        client = self.client('sagemaker', keys)
        request = {
            'AlgorithmSpecification': {'TrainingImage': 'i', 'TrainingInputMode': 'File'}, 'RoleArn': job_role,
            'OutputDataConfig': {'S3OutputPath': 's3://b/o'}, 'StoppingCondition': {'MaxRuntimeInSeconds': 60},
            'ResourceConfig': {'InstanceType': 'ml.m5.large', 'InstanceCount': 1, 'VolumeSizeInGB': 1},
        }
        client.create_training_job(TrainingJobName='bikes-1', **request)
        operation, params, principal, origin = self.sagemaker.requests[-1]
        self.assertEqual((operation, origin), ('CreateTrainingJob', 'api'))
        self.assertEqual(params['TrainingJobName'], 'bikes-1')
        self.assertEqual(principal, f'arn:aws:sts::{ACCOUNT}:assumed-role/caller/lambda')
        denied = self.refused(client.create_training_job, TrainingJobName='other-1', **request)
        self.assertEqual(denied['Code'], 'AccessDeniedException')
        self.assertIn(f'{ARN}:training-job/other-1', denied['Message'])
        tagged = self.refused(client.create_training_job, TrainingJobName='bikes-2', Tags=[{'Key': 'a', 'Value': 'b'}], **request)
        self.assertIn('sagemaker:AddTags', tagged['Message'])
        other_role = self.role('other-job', (), 'sagemaker.amazonaws.com')
        passed = self.refused(client.create_training_job, TrainingJobName='bikes-3', **{**request, 'RoleArn': other_role})
        self.assertIn('iam:PassRole', passed['Message'])

    def test_endpoint_needs_its_configuration_too(self):
        keys = self.session(self.role('deployer', [('sagemaker:*', f'{ARN}:endpoint/*')], 'lambda.amazonaws.com'))
        denied = self.refused(self.client('sagemaker', keys).create_endpoint, EndpointName='e', EndpointConfigName='c')
        self.assertIn('endpoint-config/c', denied['Message'])

    def test_errors_of_the_service_keep_their_name(self):
        client = self.client('sagemaker')
        client.create_transform_job(
            TransformJobName='twice', ModelName='m', TransformOutput={'S3OutputPath': 's3://b/o'},
            TransformInput={'DataSource': {'S3DataSource': {'S3DataType': 'S3Prefix', 'S3Uri': 's3://b/i'}}},
            TransformResources={'InstanceType': 'ml.m5.large', 'InstanceCount': 1})
        self.sagemaker.jobs['twice'] = 'InProgress'
        again = self.refused(
            client.create_transform_job, TransformJobName='twice', ModelName='m', TransformOutput={'S3OutputPath': 's3://b/o'},
            TransformInput={'DataSource': {'S3DataSource': {'S3DataType': 'S3Prefix', 'S3Uri': 's3://b/i'}}},
            TransformResources={'InstanceType': 'ml.m5.large', 'InstanceCount': 1})
        self.assertEqual(again['Code'], 'ResourceInUse')

    def test_invoke_endpoint_is_forwarded_verbatim_and_authorized(self):
        keys = self.session(self.role('invoker', [('sagemaker:InvokeEndpoint', f'{ARN}:endpoint/bikes')], 'lambda.amazonaws.com'))
        runtime = self.client('sagemaker-runtime', keys)
        answer = runtime.invoke_endpoint(EndpointName='bikes', Body=b'1,2\n', ContentType='text/csv', InferenceId='id-1', Accept='text/csv')
        self.assertEqual(answer['Body'].read(), b'0.5\n')
        self.assertEqual(answer['ContentType'], 'text/csv')
        self.assertEqual(answer['InvokedProductionVariant'], 'AllTraffic')
        path, headers, body = self.sagemaker.raw[-1]
        headers = {name.lower(): value for name, value in headers.items()}
        self.assertEqual((path, body), ('/endpoints/bikes/invocations', b'1,2\n'))
        self.assertEqual(headers['x-amzn-sagemaker-inference-id'], 'id-1')
        self.assertIn('endpoint/other', self.refused(runtime.invoke_endpoint, EndpointName='other', Body=b'1')['Message'])

    def test_wrong_secret_is_refused(self):
        keys = {**self.session(self.role('any', [('sagemaker:*', '*')], 'lambda.amazonaws.com')), 'SecretAccessKey': 'wrong'}
        self.assertIn('Signature', self.refused(self.client('sagemaker', keys).list_models)['Code'])

    def test_handing_a_role_to_a_function_needs_pass_role(self):
        keys = self.session(self.role('creator', [('lambda:*', '*')], 'lambda.amazonaws.com'))
        denied = self.refused(self.client('lambda', keys).create_function, FunctionName='f', Runtime='nodejs22.x', Handler='i.h',
                              Role=self.role('for-f', (), 'lambda.amazonaws.com'), Code={'ZipFile': b'x'})
        self.assertIn('iam:PassRole', denied['Message'])

    def test_recorder_knows_denied_used_and_never_used(self):
        granted = [(['s3:ListBucket', 's3:GetBucketLocation'], 'arn:aws:s3:::tracked'), ('sns:Publish', '*')]
        role = self.role('recorded', granted, 'lambda.amazonaws.com')
        self.client('s3').create_bucket(Bucket='tracked')
        s3 = self.client('s3', self.session(role))
        s3.list_objects_v2(Bucket='tracked')
        s3.list_objects_v2(Bucket='tracked')
        self.refused(s3.put_object, Bucket='tracked', Key='k', Body=b'')
        report = self.door('GET', 'permissions')[1]
        mine = {kind: [row for row in rows if row['role'] == role] for kind, rows in report.items()}
        self.assertEqual(mine['used'], [{'role': role, 'action': 's3:ListBucket', 'resource': 'arn:aws:s3:::tracked', 'count': 2}])
        self.assertEqual([row['action'] for row in mine['denied']], ['s3:PutObject'])
        self.assertEqual(sorted(row['action'] for row in mine['neverUsed']), ['s3:GetBucketLocation', 'sns:Publish'])
        self.assertFalse([row for row in report['used'] if row['role'].endswith(':root')])
        self.assertGreater(self.door('GET', 'calls')[1]['s3'], 2)

    def test_http_api_route_with_iam_checks_signature_and_permission(self):
        arn = self.function('behind', 'exports.handler = async () => ({ statusCode: 200, body: "in" });')
        api = self.client('apigatewayv2').create_api(Name='a', ProtocolType='HTTP')['ApiId']
        gateway = self.client('apigatewayv2')
        integration = gateway.create_integration(
            ApiId=api, IntegrationType='AWS_PROXY', IntegrationUri=arn, PayloadFormatVersion='2.0')['IntegrationId']
        gateway.create_route(ApiId=api, RouteKey='GET /x', Target=f'integrations/{integration}', AuthorizationType='AWS_IAM')
        gateway.create_stage(ApiId=api, StageName='$default', AutoDeploy=True)
        self.client('lambda').add_permission(
            FunctionName='behind', StatementId='s', Action='lambda:InvokeFunction', Principal='apigateway.amazonaws.com')
        url = f'{self.endpoint}/_aws/execute-api/{api}/$default/x'
        routes = f'arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*'
        allowed = self.session(self.role('api-user', [('execute-api:Invoke', routes)], 'lambda.amazonaws.com'))
        other = self.session(self.role('api-other', (), 'lambda.amazonaws.com'))
        self.assertEqual(self.signed_get(url, allowed), 200)
        self.assertEqual(self.signed_get(url, {**allowed, 'SecretAccessKey': 'wrong'}), 403)
        self.assertEqual(self.signed_get(url, other), 403)

    def signed_get(self, url, keys):
        request = AWSRequest('GET', url)
        SigV4Auth(Credentials(keys['AccessKeyId'], keys['SecretAccessKey'], keys['SessionToken']), 'execute-api', REGION).add_auth(request)
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=dict(request.headers)), timeout=10) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code

    def test_event_of_an_aws_service_reaches_the_default_bus(self):
        url = self.queue_of_events('training-events', {'source': ['aws.sagemaker']})
        arn = f'{ARN}:training-job/j'
        status, _ = self.door('POST', 'events', {
            'Source': 'aws.sagemaker', 'DetailType': 'SageMaker Training Job State Change',
            'Detail': {'TrainingJobStatus': 'Completed'}, 'Resources': [arn]})
        self.assertEqual(status, 200)
        event = self.messages(url)[0]
        self.assertEqual((event['source'], event['resources'], event['detail']['TrainingJobStatus']), ('aws.sagemaker', [arn], 'Completed'))


if __name__ == '__main__':
    unittest.main()
