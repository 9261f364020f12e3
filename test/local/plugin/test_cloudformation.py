"""Templates get what they say: storage options, alarm and archive types, scaling records, custom resources that fail fast."""

import json
import time
import unittest

from botocore.exceptions import ClientError
from harness import ACCOUNT, REGION, EngineTest, wait_until


class CloudFormationTest(EngineTest):
    environment = {'MLOPS_OPTIMIZED_FIELDS': ''}

    @classmethod
    def setUpClass(cls):
        import os
        import tempfile

        cls.fields = tempfile.NamedTemporaryFile('w', suffix='.json', delete=False)
        json.dump({'createTrainingJob': ['TrainingJobName', 'RoleArn']}, cls.fields)
        cls.fields.close()
        cls.environment = {'MLOPS_OPTIMIZED_FIELDS': cls.fields.name}
        cls.addClassCleanup(os.unlink, cls.fields.name)
        super().setUpClass()

    def deploy(self, name, resources, outputs=None, expect='CREATE_COMPLETE', seconds=30):
        cfn = self.client('cloudformation')
        template = {'Resources': resources, 'Outputs': {k: {'Value': v} for k, v in (outputs or {}).items()}}
        exists = any(s['StackName'] == name and s['StackStatus'] != 'DELETE_COMPLETE' for s in cfn.describe_stacks()['Stacks'])
        (cfn.update_stack if exists else cfn.create_stack)(StackName=name, TemplateBody=json.dumps(template), Capabilities=['CAPABILITY_IAM'])
        return self.reaches(name, seconds, expect)

    def reaches(self, name, seconds, expect):
        def done():
            stack = self.client('cloudformation').describe_stacks(StackName=name)['Stacks'][0]
            return None if stack['StackStatus'].endswith('IN_PROGRESS') else stack

        stack = wait_until(done, seconds)
        self.assertEqual(stack['StackStatus'], expect, self.reasons(name))
        return {o['OutputKey']: o['OutputValue'] for o in stack.get('Outputs', [])}

    def reasons(self, name):
        events = self.client('cloudformation').describe_stack_events(StackName=name)['StackEvents']
        return [e.get('ResourceStatusReason') for e in events if 'FAILED' in e['ResourceStatus']]

    def test_bucket_keeps_encryption_tags_lifecycle_lock_and_logging(self):
        key = f'arn:aws:kms:{REGION}:{ACCOUNT}:key/k'
        self.deploy('storage', {
            'Logs': {'Type': 'AWS::S3::Bucket', 'Properties': {'BucketName': 'its-logs'}},
            'Store': {'Type': 'AWS::S3::Bucket', 'Properties': {
                'BucketName': 'its-store', 'Tags': [{'Key': 'aws-cdk:auto-delete-objects', 'Value': 'true'}], 'ObjectLockEnabled': True,
                'BucketEncryption': {'ServerSideEncryptionConfiguration': [
                    {'BucketKeyEnabled': True, 'ServerSideEncryptionByDefault': {'SSEAlgorithm': 'aws:kms', 'KMSMasterKeyID': key}}]},
                'LifecycleConfiguration': {'Rules': [
                    {'Id': 'old', 'Status': 'Enabled', 'Prefix': 'predictions/', 'ExpirationInDays': 30,
                     'Transitions': [{'StorageClass': 'STANDARD_IA', 'TransitionInDays': 10}]},
                    {'Id': 'parts', 'Status': 'Enabled', 'AbortIncompleteMultipartUpload': {'DaysAfterInitiation': 7},
                     'NoncurrentVersionExpiration': {'NoncurrentDays': 90}}]},
                'LoggingConfiguration': {'DestinationBucketName': {'Ref': 'Logs'}, 'LogFilePrefix': 'a/'}}},
        })
        s3 = self.client('s3')
        rule = s3.get_bucket_encryption(Bucket='its-store')['ServerSideEncryptionConfiguration']['Rules'][0]
        self.assertEqual(rule, {'ApplyServerSideEncryptionByDefault': {'SSEAlgorithm': 'aws:kms', 'KMSMasterKeyID': key}, 'BucketKeyEnabled': True})
        self.assertEqual(s3.get_bucket_tagging(Bucket='its-store')['TagSet'], [{'Key': 'aws-cdk:auto-delete-objects', 'Value': 'true'}])
        rules = s3.get_bucket_lifecycle_configuration(Bucket='its-store')['Rules']
        self.assertEqual((rules[0]['Filter'], rules[0]['Expiration'], rules[1]['NoncurrentVersionExpiration']),
                         ({'Prefix': 'predictions/'}, {'Days': 30}, {'NoncurrentDays': 90}))
        self.assertEqual(s3.get_bucket_logging(Bucket='its-store')['LoggingEnabled']['TargetBucket'], 'its-logs')
        self.assertEqual(s3.get_object_lock_configuration(Bucket='its-store')['ObjectLockConfiguration']['ObjectLockEnabled'], 'Enabled')

    def test_bucket_that_is_not_empty_is_not_deleted(self):
        self.deploy('full', {'Store': {'Type': 'AWS::S3::Bucket', 'Properties': {'BucketName': 'full-store'}}})
        self.client('s3').put_object(Bucket='full-store', Key='a', Body=b'1')
        self.client('cloudformation').delete_stack(StackName='full')
        self.reaches('full', 20, 'DELETE_FAILED')

    def test_global_table_keeps_what_its_replica_says(self):
        properties = {
            'TableName': 'versions', 'BillingMode': 'PAY_PER_REQUEST', 'KeySchema': [{'AttributeName': 'pk', 'KeyType': 'HASH'}],
            'AttributeDefinitions': [{'AttributeName': 'pk', 'AttributeType': 'S'}],
            'TimeToLiveSpecification': {'AttributeName': 'ttl', 'Enabled': True},
            'SSESpecification': {'SSEEnabled': True, 'SSEType': 'KMS'},
            'Replicas': [{'Region': REGION, 'DeletionProtectionEnabled': True,
                          'PointInTimeRecoverySpecification': {'PointInTimeRecoveryEnabled': True},
                          'SSESpecification': {'KMSMasterKeyId': 'arn:aws:kms:k'}, 'Tags': [{'Key': 'a', 'Value': 'b'}]}]}
        self.deploy('tables', {'Table': {'Type': 'AWS::DynamoDB::GlobalTable', 'Properties': properties}})
        ddb = self.client('dynamodb')
        table = ddb.describe_table(TableName='versions')['Table']
        self.assertTrue(table['DeletionProtectionEnabled'])
        self.assertEqual(table['SSEDescription']['KMSMasterKeyArn'], 'arn:aws:kms:k')
        self.assertEqual(ddb.describe_time_to_live(TableName='versions')['TimeToLiveDescription']['TimeToLiveStatus'], 'ENABLED')
        recovery = ddb.describe_continuous_backups(TableName='versions')['ContinuousBackupsDescription']['PointInTimeRecoveryDescription']
        self.assertEqual(recovery['PointInTimeRecoveryStatus'], 'ENABLED')
        self.client('cloudformation').delete_stack(StackName='tables')
        self.reaches('tables', 20, 'DELETE_FAILED')

    def test_types_that_ministack_lacks(self):
        alarm = {'Type': 'AWS::CloudWatch::Alarm', 'Properties': {
            'AlarmName': 'child', 'EvaluationPeriods': 1, 'Threshold': 1, 'ComparisonOperator': 'GreaterThanThreshold',
            'TreatMissingData': 'breaching',
            'Metrics': [{'Id': 's', 'Expression': 'm1 + m1'}, {'Id': 'm1', 'ReturnData': False, 'MetricStat': {
                'Metric': {'Namespace': 'N', 'MetricName': 'M'}, 'Period': 60, 'Stat': 'Sum'}}]}}
        resources = {
            'Child': alarm,
            'Parent': {'Type': 'AWS::CloudWatch::CompositeAlarm', 'DependsOn': ['Child'], 'Properties': {
                'AlarmName': 'parent', 'AlarmRule': 'ALARM("child")'}},
            'Bus': {'Type': 'AWS::Events::EventBus', 'Properties': {'Name': 'loop'}},
            'Archive': {'Type': 'AWS::Events::Archive', 'Properties': {
                'SourceArn': {'Fn::GetAtt': ['Bus', 'Arn']}, 'RetentionDays': 7, 'EventPattern': {'source': ['a']}}},
            'Policy': {'Type': 'AWS::Events::EventBusPolicy', 'Properties': {'EventBusName': {'Ref': 'Bus'}, 'StatementId': 's', 'Statement': {
                'Effect': 'Allow', 'Principal': {'AWS': '*'}, 'Action': 'events:PutEvents', 'Resource': {'Fn::GetAtt': ['Bus', 'Arn']}}}},
            'Target': {'Type': 'AWS::ApplicationAutoScaling::ScalableTarget', 'Properties': {
                'ServiceNamespace': 'sagemaker', 'ResourceId': 'endpoint/e/variant/v', 'ScalableDimension': 'sagemaker:variant:DesiredInstanceCount',
                'MinCapacity': 1, 'MaxCapacity': 3}},
            'Scaling': {'Type': 'AWS::ApplicationAutoScaling::ScalingPolicy', 'Properties': {
                'PolicyName': 'p', 'PolicyType': 'TargetTrackingScaling', 'ScalingTargetId': {'Ref': 'Target'}}},
        }
        self.deploy('types', resources, {'Parent': {'Fn::GetAtt': ['Parent', 'Arn']}})
        cloudwatch = self.client('cloudwatch')
        wait_until(lambda: cloudwatch.describe_alarms(
            AlarmNames=['parent'], AlarmTypes=['CompositeAlarm'])['CompositeAlarms'][0]['StateValue'] == 'ALARM')
        archive = self.client('events').list_archives()['Archives'][0]
        self.assertEqual((archive['RetentionDays'], archive['EventSourceArn']), (7, f'arn:aws:events:{REGION}:{ACCOUNT}:event-bus/loop'))
        self.assertIn('"Sid": "s"', json.dumps(json.loads(self.client('events').describe_event_bus(Name='loop')['Policy'])))
        scaling = self.client('application-autoscaling')
        found = scaling.describe_scaling_policies(ServiceNamespace='sagemaker')['ScalingPolicies']
        self.assertEqual([p['ResourceId'] for p in found], ['endpoint/e/variant/v'])
        scaling.register_scalable_target(ServiceNamespace='sagemaker', ResourceId='endpoint/f/variant/v',
                                         ScalableDimension='sagemaker:variant:DesiredInstanceCount', MinCapacity=1, MaxCapacity=2)
        scaling.deregister_scalable_target(ServiceNamespace='sagemaker', ResourceId='endpoint/f/variant/v',
                                           ScalableDimension='sagemaker:variant:DesiredInstanceCount')
        self.deploy('types', {**resources, 'Archive': {'Type': 'AWS::Events::Archive', 'Properties': {
            **resources['Archive']['Properties'], 'RetentionDays': 9}}}, expect='UPDATE_COMPLETE')
        self.assertEqual([a['RetentionDays'] for a in self.client('events').list_archives()['Archives']], [9])
        self.client('cloudformation').delete_stack(StackName='types')
        wait_until(lambda: not self.client('events').list_archives()['Archives'])

    def test_custom_resource_whose_function_throws_fails_at_once(self):
        role = self.role('custom', (), 'lambda.amazonaws.com')
        began = time.monotonic()
        self.deploy('custom', {
            'Function': {'Type': 'AWS::Lambda::Function', 'Properties': {
                'Runtime': 'nodejs22.x', 'Handler': 'index.handler', 'Role': role,
                'Code': {'ZipFile': 'exports.handler = async () => { throw new Error("no bucket yet"); };'}}},
            'Custom': {'Type': 'Custom::Thing', 'Properties': {'ServiceToken': {'Fn::GetAtt': ['Function', 'Arn']}}},
        }, expect='ROLLBACK_COMPLETE')
        self.assertLess(time.monotonic() - began, 20)
        self.assertIn('no bucket yet', ' '.join(filter(None, self.reasons('custom'))))

    def test_field_that_the_optimized_integration_does_not_know_is_refused(self):
        state = {'Type': 'Task', 'Resource': 'arn:aws:states:::sagemaker:createTrainingJob.sync', 'End': True,
                 'Parameters': {'TrainingJobName.$': '$.n', 'RoleArn': 'r', 'RemoteDebugConfig': {}}}
        with self.assertRaises(ClientError) as caught:
            self.machine('unknown-field', {'Map': {'Type': 'Map', 'End': True, 'ItemProcessor': {'StartAt': 'Train', 'States': {'Train': state}}}})
        error = caught.exception.response['Error']
        self.assertEqual(error['Code'], 'InvalidDefinition')
        self.assertIn('"RemoteDebugConfig" is not supported by Step Functions at /States/Map/ItemProcessor/States/Train', error['Message'])
        role = self.role('machine-role')
        self.deploy('machine', {'Machine': {'Type': 'AWS::StepFunctions::StateMachine', 'Properties': {
            'RoleArn': role, 'DefinitionString': json.dumps({'StartAt': 'Train', 'States': {'Train': state}})}}}, expect='ROLLBACK_COMPLETE')
        self.assertIn('RemoteDebugConfig', ' '.join(filter(None, self.reasons('machine'))))


if __name__ == '__main__':
    unittest.main()
