"""Faults on demand strike where their rule says, as often as it says, under the names that AWS uses."""

import json
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from harness import ACCOUNT, REGION, EngineTest

SAGEMAKER = f'arn:aws:sagemaker:{REGION}:{ACCOUNT}'
RULE = f'arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule'
ERROR = {'kind': 'error', 'error': 'ThrottlingException', 'message': 'Rate exceeded'}


class FaultTest(EngineTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job_role = cls.role('job', (), 'sagemaker.amazonaws.com')
        cls.training = [
            (['sagemaker:CreateTrainingJob', 'sagemaker:DescribeTrainingJob', 'sagemaker:StopTrainingJob', 'sagemaker:AddTags'],
             f'{SAGEMAKER}:training-job/*'),
            ('iam:PassRole', cls.job_role, {'StringEquals': {'iam:PassedToService': 'sagemaker.amazonaws.com'}}),
            (['events:PutTargets', 'events:PutRule', 'events:DescribeRule'], RULE),
        ]

    def tearDown(self):
        self.door('DELETE', 'faults')

    def add(self, operation, effect, on='sagemaker', **more):
        status, rule = self.door('POST', 'faults', {'on': on, 'operation': operation, 'effect': effect, **more})
        self.assertEqual(status, 200, rule)
        return rule['id']

    def hits(self, rule_id):
        rules = {rule['id']: rule for rule in self.door('GET', 'faults')[1]['faults']}
        return rules[rule_id]['seen'], rules[rule_id]['hits']

    def list_models(self):
        try:
            self.client('sagemaker').list_models()
        except ClientError as error:
            return error.response['Error']['Code'], error.response['ResponseMetadata']['HTTPStatusCode']
        return None

    def test_error_strikes_after_the_skipped_calls_as_often_as_told_and_is_counted(self):
        rule = self.add('ListModels', {**ERROR, 'status': 429}, skip=1, times=2)
        found = [self.list_models() for _ in range(3)]
        # The SDK repeats a throttled call once here: both attempts are hits.
        self.assertEqual(found, [None, ('ThrottlingException', 429), None])
        self.assertEqual(self.hits(rule), (3, 2))
        always = self.add('ListModels', ERROR, times=0)
        self.assertEqual([self.list_models() for _ in range(3)], [('ThrottlingException', 400)] * 3)
        self.assertEqual(self.door('DELETE', f'faults/{always}'), (200, {'removed': 1}))
        self.assertIsNone(self.list_models())

    def test_names_narrow_a_rule_and_nonsense_is_refused(self):
        self.add('DescribeModel', ERROR, nameContains='bikes', times=0)
        sagemaker = self.client('sagemaker')
        sagemaker.describe_model(ModelName='cars-1')
        with self.assertRaises(ClientError):
            sagemaker.describe_model(ModelName='my-bikes-1')
        for rule in ({'on': 'sagemaker', 'operation': 'ListModels', 'effect': {'kind': 'interrupt-spot'}}, {'on': 's3', 'operation': 'x', 'effect': ERROR},
                     {'on': 'lambda', 'operation': 'f', 'effect': {'kind': 'stop'}}, {'on': 'sagemaker', 'operation': 'ListModels', 'effect': {'kind': 'error'}},
                     {'on': 'sagemaker', 'operation': 'ListModels', 'effect': ERROR, 'often': 1}):
            self.assertEqual(self.door('POST', 'faults', rule)[0], 400, rule)
        self.assertEqual(self.door('DELETE', 'faults/none')[0], 404)
        self.assertEqual(self.door('GET', 'faults', token='guessed')[0], 403)

    def state(self, name, retry):
        return {'Type': 'Task', 'Resource': 'arn:aws:states:::sagemaker:createTrainingJob.sync', 'End': True,
                'Parameters': {'TrainingJobName': name, 'RoleArn': self.job_role},
                'Retry': [{'ErrorEquals': [retry], 'IntervalSeconds': 1, 'MaxAttempts': 2}]}

    def test_state_machines_see_the_names_of_the_optimized_integration_and_retry(self):
        quota = self.add('CreateTrainingJob', {'kind': 'error', 'error': 'ResourceLimitExceeded', 'message': 'no instances left'}, nameContains='quota')
        machine = self.machine('quota', {'Train': self.state('quota-1', 'SageMaker.ResourceLimitExceededException')}, self.training)
        self.assertEqual(self.run_machine(machine)['status'], 'SUCCEEDED')
        self.assertEqual(self.hits(quota), (1, 1))
        self.add('CreateTrainingJob', {'kind': 'error', 'error': 'InternalFailure', 'message': 'oops', 'status': 500}, times=0)
        machine = self.machine('broken', {'Train': self.state('broken-1', 'Other')}, self.training)
        ended = self.run_machine(machine)
        self.assertEqual(ended['error'], 'SageMaker.AmazonSageMakerException')
        self.assertIn('Status Code: 500; Error Code: InternalFailure', ended['cause'])

    def test_the_sdk_integration_names_what_the_model_names(self):
        states = {'Ask': {'Type': 'Task', 'Resource': 'arn:aws:states:::aws-sdk:sagemaker:listModels', 'Parameters': {}, 'End': True}}
        machine = self.machine('sdk', states, [('sagemaker:ListModels', '*')])
        for error, name in (('ResourceLimitExceeded', 'ResourceLimitExceededException'), ('ThrottlingException', 'SageMakerException')):
            self.add('ListModels', {**ERROR, 'error': error})
            self.assertEqual(self.run_machine(machine)['error'], f'SageMaker.{name}')
        self.assertEqual(self.run_machine(machine)['status'], 'SUCCEEDED')

    def test_what_happens_to_a_job_goes_to_the_service_that_runs_it(self):
        self.add('CreateTrainingJob', {'kind': 'interrupt-spot', 'afterSeconds': 2})
        machine = self.machine('spot', {'Train': self.state('spot-1', 'Other')}, self.training)
        self.assertEqual(self.run_machine(machine)['status'], 'SUCCEEDED')
        self.assertEqual(self.sagemaker.faults, [('CreateTrainingJob', {'kind': 'interrupt-spot', 'afterSeconds': 2})])

    def invoke(self, name, payload=None):
        answer = self.client('lambda').invoke(FunctionName=name, Payload=json.dumps(payload or {}))
        return answer.get('FunctionError'), json.loads(answer['Payload'].read())

    def test_functions_fail_time_out_and_die_and_recover(self):
        arn = self.function('worker', 'let n = 0; exports.handler = async (e) => { n += 1; if (e.ms) await new Promise((r) => setTimeout(r, e.ms)); return n; };')
        self.add('worker', {'kind': 'error', 'error': 'Registry.Conflict', 'message': 'taken'}, on='lambda')
        self.assertEqual(self.invoke('worker')[1]['errorType'], 'Registry.Conflict')
        self.assertEqual(self.invoke('worker'), (None, 1))
        self.add('worker', {'kind': 'timeout', 'afterRun': True}, on='lambda', nameContains='run-7')
        self.assertEqual(self.invoke('worker', {'run': 'run-8'}), (None, 2))
        error, body = self.invoke('worker', {'run': 'run-7'})
        self.assertEqual((error, body['errorType']), ('Unhandled', 'Sandbox.Timedout'))
        # It did its work all the same: only the answer was lost.
        self.assertEqual(self.invoke('worker'), (None, 4))
        self.add('worker', {'kind': 'kill', 'afterSeconds': 0.3}, on='lambda')
        began = time.monotonic()
        self.assertEqual(self.invoke('worker', {'ms': 5000})[1]['errorType'], 'Runtime.ExitError')
        self.assertLess(time.monotonic() - began, 4)
        self.assertEqual(self.invoke('worker'), (None, 1))
        self.add('worker', {'kind': 'error', 'error': 'TooManyRequestsException', 'message': 'Rate exceeded', 'status': 429}, on='lambda', times=3)
        with self.assertRaises(ClientError) as caught:
            self.client('lambda').invoke(FunctionName='worker')
        self.assertEqual(caught.exception.response['Error']['Code'], 'TooManyRequestsException')
        machine = self.machine('calls', {'Call': {
            'Type': 'Task', 'Resource': 'arn:aws:states:::lambda:invoke', 'Parameters': {'FunctionName': arn, 'Payload': {}}, 'End': True,
        }}, [('lambda:InvokeFunction', arn)])
        self.assertEqual(self.run_machine(machine)['error'], 'Lambda.TooManyRequestsException')
        self.assertEqual(self.run_machine(machine)['status'], 'SUCCEEDED')
        self.add('worker', {'kind': 'timeout'}, on='lambda')
        self.assertEqual(self.run_machine(machine)['error'], 'Sandbox.Timedout')


class AlarmStateTest(EngineTest):
    def test_a_state_that_somebody_set_stays_until_measurements_decide_again(self):
        cloudwatch = self.client('cloudwatch')
        cloudwatch.put_metric_alarm(AlarmName='trip', Namespace='N', MetricName='M', Statistic='Sum', Period=60, EvaluationPeriods=1, Threshold=1,
                                    ComparisonOperator='GreaterThanThreshold', TreatMissingData='notBreaching')
        cloudwatch.set_alarm_state(AlarmName='trip', StateValue='ALARM', StateReason='by hand')
        time.sleep(2.5)
        self.assertEqual(self.state(cloudwatch), 'ALARM')
        time.sleep(5)
        self.assertEqual(self.state(cloudwatch), 'OK')

    def state(self, client):
        return client.describe_alarms(AlarmNames=['trip'])['MetricAlarms'][0]['StateValue']

    def signed_form(self, keys, form):
        """As the SDKs spoke to CloudWatch before they had JSON."""
        request = AWSRequest('POST', self.endpoint, data=urllib.parse.urlencode(form), headers={'content-type': 'application/x-www-form-urlencoded'})
        SigV4Auth(Credentials(keys['AccessKeyId'], keys['SecretAccessKey'], keys['SessionToken']), 'monitoring', REGION).add_auth(request)
        try:
            return urllib.request.urlopen(urllib.request.Request(self.endpoint, request.data.encode(), dict(request.headers))).status
        except urllib.error.HTTPError as error:
            return error.code

    def test_alarms_named_in_a_list_are_authorized_by_their_name_and_roles_can_be_asked_about(self):
        role = self.role('watcher', [('cloudwatch:DescribeAlarms', f'arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:mine-*')], 'sagemaker.amazonaws.com')
        keys = self.door('POST', 'session', {'roleArn': role, 'service': 'sagemaker.amazonaws.com'})[1]
        client = self.client('cloudwatch', keys)
        client.describe_alarms(AlarmNames=['mine-1'])
        with self.assertRaises(ClientError):
            client.describe_alarms(AlarmNames=['yours-1'])
        with self.assertRaisesRegex(ClientError, 'not authorized to perform: cloudwatch:DescribeAlarms on resource: .*:alarm:yours-1'):
            client.describe_alarms(AlarmNames=['mine-1', 'mine-2', 'yours-1'])
        query = {'Action': 'DescribeAlarms', 'Version': '2010-08-01', 'AlarmNames.member.1': 'mine-1', 'AlarmNames.member.2': 'yours-1'}
        self.assertEqual(self.signed_form(keys, query), 403)

        def asked(name):
            arn = f'arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}'
            return self.door('POST', 'permitted', {'roleArn': role, 'action': 'cloudwatch:DescribeAlarms', 'resources': [arn]})[1]['message']

        self.assertIsNone(asked('mine-1'))
        self.assertIn('not authorized', asked('yours-1'))


if __name__ == '__main__':
    unittest.main()
