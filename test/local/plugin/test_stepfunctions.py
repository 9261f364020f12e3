"""Executions behave as on AWS: roles are asked, SageMaker jobs run, errors keep their names, redrive goes on where it stopped."""

import json
import time
import unittest

from botocore.exceptions import ClientError
from harness import ACCOUNT, REGION, EngineTest, wait_until

SAGEMAKER = f'arn:aws:sagemaker:{REGION}:{ACCOUNT}'
RULE = f'arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule'
FLAKY = '''
let calls = 0;
exports.handler = async (event) => {
  calls += 1;
  if (event.fail || calls % 2 === 1) { const e = new Error('busy now'); e.name = 'Registry.Busy'; throw e; }
  return { calls };
};'''


class StepFunctionsTest(EngineTest):
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

    def train(self, name, **more):
        return {'Type': 'Task', 'Resource': 'arn:aws:states:::sagemaker:createTrainingJob.sync', 'End': True,
                'Parameters': {'TrainingJobName': name, 'RoleArn': self.job_role}, **more}

    def test_retry_and_catch_match_the_error_name_of_the_function(self):
        arn = self.function('flaky', FLAKY)
        catch = {'ErrorEquals': ['Registry.Busy'], 'ResultPath': '$.error', 'Next': 'Caught'}
        machine = self.machine('retries', {
            'Retried': {'Type': 'Task', 'Resource': arn, 'ResultPath': '$.first', 'Next': 'Thrown',
                        'Retry': [{'ErrorEquals': ['Registry.Busy'], 'IntervalSeconds': 1, 'MaxAttempts': 1}]},
            'Thrown': {'Type': 'Task', 'Resource': 'arn:aws:states:::lambda:invoke', 'Catch': [catch], 'End': True,
                       'Parameters': {'FunctionName': arn, 'Payload': {'fail': True}}},
            'Caught': {'Type': 'Pass', 'End': True},
        }, [('lambda:InvokeFunction', arn)])
        ended = self.run_machine(machine)
        self.assertEqual(ended['status'], 'SUCCEEDED', ended)
        output = json.loads(ended['output'])
        # The sandbox that threw is the one that answers: module state survives a handled error.
        self.assertEqual(output['first'], {'calls': 2})
        self.assertEqual(output['error']['Error'], 'Registry.Busy')
        self.assertEqual(json.loads(output['error']['Cause'])['errorMessage'], 'busy now')

    def test_callback_function_that_throws_fails_the_task(self):
        arn = self.function('thrower', FLAKY)
        machine = self.machine('callback', {'Wait': {
            'Type': 'Task', 'Resource': 'arn:aws:states:::lambda:invoke.waitForTaskToken', 'End': True, 'TimeoutSeconds': 300,
            'Parameters': {'FunctionName': arn, 'Payload': {'fail': True, 'token.$': '$$.Task.Token'}}}}, [('lambda:InvokeFunction', arn)])
        ended = self.run_machine(machine, seconds=10)
        self.assertEqual((ended['status'], ended['error']), ('FAILED', 'Registry.Busy'))

    def test_callback_answers_by_its_role_on_the_state_machine_and_heartbeat_times_out(self):
        arn = self.function('keeper', 'exports.handler = async (event) => { console.log("TOKEN", event.token); };')
        machine = self.machine('answered', {'Wait': {
            'Type': 'Task', 'Resource': 'arn:aws:states:::lambda:invoke.waitForTaskToken', 'End': True, 'HeartbeatSeconds': 2,
            'Parameters': {'FunctionName': arn, 'Payload': {'token.$': '$$.Task.Token'}}}}, [('lambda:InvokeFunction', arn)])
        answering = self.role('answering', [('states:SendTaskSuccess', machine)], 'lambda.amazonaws.com')
        keys = self.door('POST', 'session', {'roleArn': answering, 'service': 'lambda.amazonaws.com'})[1]
        sfn = self.client('stepfunctions')
        first = sfn.start_execution(stateMachineArn=machine)['executionArn']
        token = wait_until(lambda: self.token_in_logs('keeper'))
        self.client('stepfunctions', keys).send_task_success(taskToken=token, output='{"ok": true}')
        self.assertEqual(json.loads(self.ended(first)['output']), {'ok': True})
        silent = self.run_machine(machine, seconds=10)
        self.assertEqual(silent['error'], 'States.HeartbeatTimeout')

    def token_in_logs(self, function):
        logs = self.client('logs')
        try:
            events = logs.filter_log_events(logGroupName=f'/aws/lambda/{function}')['events']
        except ClientError:
            return None
        return next((e['message'].split('TOKEN ', 1)[1].strip() for e in events if 'TOKEN ' in e['message']), None)

    def test_role_without_permission_fails_the_integration(self):
        arn = self.function('unreachable', FLAKY)
        ended = self.run_machine(self.machine('no-invoke', {'Call': {'Type': 'Task', 'Resource': arn, 'End': True}}))
        self.assertEqual((ended['status'], ended['error']), ('FAILED', 'Lambda.AWSLambdaException'))
        self.assertIn('is not authorized to perform: lambda:InvokeFunction', ended['cause'])
        table = {'Type': 'Task', 'Resource': 'arn:aws:states:::dynamodb:putItem', 'End': True,
                 'Parameters': {'TableName': 't', 'Item': {'pk': {'S': 'a'}}}}
        self.assertEqual(self.run_machine(self.machine('no-put', {'Put': table}))['error'], 'DynamoDB.AmazonDynamoDBException')
        bucket = {'Type': 'Task', 'Resource': 'arn:aws:states:::aws-sdk:s3:putObject', 'End': True,
                  'Parameters': {'Bucket': 'sfn-out', 'Key': 'a.json', 'Body': {'a': 1}}}
        denied = self.run_machine(self.machine('no-s3', {'Put': bucket}))
        self.assertEqual(denied['error'], 'S3.S3Exception')
        self.assertIn('s3:PutObject on resource: arn:aws:s3:::sfn-out/a.json', denied['cause'])

    def test_sdk_integrations_work_with_the_permission(self):
        self.client('s3').create_bucket(Bucket='sfn-in')
        machine = self.machine('s3', {
            'Put': {'Type': 'Task', 'Resource': 'arn:aws:states:::aws-sdk:s3:putObject', 'ResultPath': None, 'Next': 'Get',
                    'Parameters': {'Bucket': 'sfn-in', 'Key': 'x/a.json', 'Body': {'a': 1}}},
            'Get': {'Type': 'Task', 'Resource': 'arn:aws:states:::aws-sdk:s3:getObject', 'End': True,
                    'Parameters': {'Bucket': 'sfn-in', 'Key': 'x/a.json'}, 'ResultSelector': {'body.$': 'States.StringToJson($.Body)'}},
        }, [(['s3:PutObject', 's3:GetObject'], 'arn:aws:s3:::sfn-in/x/*')])
        ended = self.run_machine(machine)
        self.assertEqual(ended['status'], 'SUCCEEDED', ended)
        self.assertEqual(json.loads(ended['output']), {'body': {'a': 1}})

    def test_training_job_is_waited_for_and_its_description_is_the_output(self):
        machine = self.machine('train', {'Train': self.train('bikes-1')}, self.training)
        ended = self.run_machine(machine)
        self.assertEqual(json.loads(ended['output'])['TrainingJobStatus'], 'Completed', ended)
        created = next(r for r in self.sagemaker.requests if r[1].get('TrainingJobName') == 'bikes-1')
        self.assertEqual((created[0], created[3]), ('CreateTrainingJob', 'states'))
        self.assertIn(':assumed-role/train-role/', created[2])

    def test_history_names_the_job_before_it_has_ended(self):
        machine = self.machine('asks', {'Train': self.train('named-runs')}, self.training)
        sfn = self.client('stepfunctions')
        arn = sfn.start_execution(stateMachineArn=machine)['executionArn']

        def request():
            events = sfn.get_execution_history(executionArn=arn)['events']
            return next((event['taskScheduledEventDetails'].get('parameters') for event in events if event['type'] == 'TaskScheduled'), None)

        self.assertEqual(json.loads(wait_until(request))['TrainingJobName'], 'named-runs')
        sfn.stop_execution(executionArn=arn)

    def test_failed_job_and_refused_call_have_the_names_of_aws(self):
        failed = self.run_machine(self.machine('train-fails', {'Train': self.train('bikes-2-fails')}, self.training))
        self.assertEqual(failed['error'], 'States.TaskFailed')
        self.assertEqual(json.loads(failed['cause'])['FailureReason'], 'AlgorithmError: no')
        again = self.run_machine(self.machine('train-again', {'Train': self.train('bikes-2-fails')}, self.training))
        self.assertEqual(again['error'], 'SageMaker.AmazonSageMakerException')
        self.assertRegex(again['cause'], r'already exists \(Service: AmazonSageMaker; Status Code: 400; Error Code: ResourceInUse; Request ID: ')

    def test_each_missing_permission_of_a_job_fails_it(self):
        for index, (missing, expected) in enumerate([(0, 'CreateTrainingJob'), (1, 'iam:PassRole'), (2, 'events:PutTargets')]):
            granted = [s for i, s in enumerate(self.training) if i != missing]
            ended = self.run_machine(self.machine(f'lacks-{index}', {'Train': self.train(f'lacks-{index}')}, granted))
            self.assertEqual(ended['error'], 'SageMaker.AmazonSageMakerException')
            self.assertIn(expected, ended['cause'])
            self.assertEqual(self.sagemaker.operations(f'lacks-{index}'), [])

    def test_stopping_or_timing_out_stops_the_job(self):
        machine = self.machine('stops', {'Train': self.train('stop-runs')}, self.training)
        sfn = self.client('stepfunctions')
        arn = sfn.start_execution(stateMachineArn=machine)['executionArn']
        wait_until(lambda: 'DescribeTrainingJob' in self.sagemaker.operations('stop-runs'))
        sfn.stop_execution(executionArn=arn)
        wait_until(lambda: 'StopTrainingJob' in self.sagemaker.operations('stop-runs'))
        self.assertEqual(self.ended(arn)['status'], 'ABORTED')
        late = self.run_machine(self.machine('late', {'Train': self.train('late-runs', TimeoutSeconds=1)}, self.training))
        self.assertEqual(late['error'], 'States.Timeout')
        wait_until(lambda: 'StopTrainingJob' in self.sagemaker.operations('late-runs'))
        whole = self.run_machine(self.machine('whole', {'Train': self.train('whole-runs')}, self.training, TimeoutSeconds=1))
        self.assertEqual(whole['status'], 'TIMED_OUT')
        wait_until(lambda: 'StopTrainingJob' in self.sagemaker.operations('whole-runs'))

    def test_status_changes_are_events(self):
        url = self.queue_of_events('sfn-status', {'source': ['aws.states'], 'detail-type': ['Step Functions Execution Status Change']})
        machine = self.machine('status', {'No': {'Type': 'Fail', 'Error': 'Gate.Refused', 'Cause': 'worse'}})
        arn = self.run_machine(machine, {'a': 1})['executionArn']
        events = [e['detail'] for e in self.messages(url, 2) if e['detail']['executionArn'] == arn]
        self.assertEqual([e['status'] for e in events], ['RUNNING', 'FAILED'])
        self.assertEqual((events[1]['error'], events[1]['cause'], events[1]['input'], events[1]['redriveStatus']),
                         ('Gate.Refused', 'worse', '{"a": 1}', 'REDRIVABLE'))
        self.assertGreater(events[1]['stopDate'], 1_600_000_000_000)

    def test_redrive_continues_from_the_failed_state_and_branch(self):
        arn = self.function('counted', '''
exports.handler = async ({ id, redrives, fail }) => {
  console.log('RAN', id);
  if (fail && redrives === 0) { const e = new Error('not yet'); e.name = 'NotYet'; throw e; }
  return { id, redrives };
};''')

        def call(name, fail=False, **more):
            return {'Type': 'Task', 'Resource': 'arn:aws:states:::lambda:invoke', 'OutputPath': '$.Payload', **(more or {'End': True}),
                    'Parameters': {'FunctionName': arn, 'Payload': {'id': name, 'fail': fail, 'redrives.$': '$$.Execution.RedriveCount'}}}

        machine = self.machine('redriven', {
            'First': call('first', Next='Both'),
            'Both': {'Type': 'Parallel', 'End': True, 'Branches': [
                {'StartAt': 'Good', 'States': {'Good': call('good')}},
                {'StartAt': 'Slow', 'States': {'Slow': {'Type': 'Wait', 'Seconds': 50, 'Next': 'Before'},
                                               'Before': call('before', Next='Bad'), 'Bad': call('bad', fail=True)}},
            ]},
        }, [('lambda:InvokeFunction', arn)])
        sfn = self.client('stepfunctions')
        failed = self.run_machine(machine)
        self.assertEqual((failed['status'], failed['error'], failed['redriveStatus']), ('FAILED', 'NotYet', 'REDRIVABLE'))
        sfn.redrive_execution(executionArn=failed['executionArn'])
        ended = self.ended(failed['executionArn'])
        self.assertEqual((ended['status'], ended['redriveCount']), ('SUCCEEDED', 1))
        self.assertEqual(json.loads(ended['output']), [{'id': 'good', 'redrives': 0}, {'id': 'bad', 'redrives': 1}])
        ran = [e['message'].split('RAN ', 1)[1].strip() for e in self.client('logs').filter_log_events(
            logGroupName='/aws/lambda/counted')['events'] if 'RAN ' in e['message']]
        self.assertEqual(sorted(ran), ['bad', 'bad', 'before', 'first', 'good'])
        with self.assertRaises(ClientError) as caught:
            sfn.redrive_execution(executionArn=failed['executionArn'])
        self.assertEqual(caught.exception.response['Error']['Code'], 'ExecutionNotRedrivable')
        types = [e['type'] for e in sfn.get_execution_history(executionArn=failed['executionArn'])['events']]
        self.assertIn('ExecutionRedriven', types)

    def test_distributed_map_hands_over_batches_and_writes_results(self):
        s3 = self.client('s3')
        s3.create_bucket(Bucket='batches')
        s3.put_object(Bucket='batches', Key='items.json', Body=json.dumps([{'n': n} for n in range(5)]))
        machine_arn = f'arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:batched'
        states = {'Map': {
            'Type': 'Map', 'End': True,
            'ItemReader': {'Resource': 'arn:aws:states:::s3:getObject', 'ReaderConfig': {'InputType': 'JSON'},
                           'Parameters': {'Bucket': 'batches', 'Key': 'items.json'}},
            'ItemBatcher': {'MaxItemsPerBatch': 2, 'BatchInput': {'run.$': '$.run'}}, 'ItemSelector': {'value.$': '$$.Map.Item.Value.n'},
            'ResultWriter': {'Resource': 'arn:aws:states:::s3:putObject', 'Parameters': {'Bucket': 'batches', 'Prefix': 'out'}},
            'ItemProcessor': {'ProcessorConfig': {'Mode': 'DISTRIBUTED', 'ExecutionType': 'STANDARD'}, 'StartAt': 'Echo',
                              'States': {'Echo': {'Type': 'Pass', 'End': True}}}}}
        machine = self.machine('batched', states, [
            ('states:StartExecution', machine_arn), (['s3:GetObject', 's3:PutObject'], 'arn:aws:s3:::batches/*')])
        ended = self.run_machine(machine, {'run': 'r1'})
        self.assertEqual(ended['status'], 'SUCCEEDED', ended)
        output = json.loads(ended['output'])
        manifest = json.loads(s3.get_object(Bucket='batches', Key=output['ResultWriterDetails']['Key'])['Body'].read())
        rows = json.loads(s3.get_object(Bucket='batches', Key=manifest['ResultFiles']['SUCCEEDED'][0]['Key'])['Body'].read())
        outputs = sorted((json.loads(row['Output']) for row in rows), key=lambda o: o['Items'][0]['value'])
        self.assertEqual([len(o['Items']) for o in outputs], [2, 2, 1])
        self.assertEqual(outputs[0], {'BatchInput': {'run': 'r1'}, 'Items': [{'value': 0}, {'value': 1}]})

    def test_result_over_the_limit_fails_and_nothing_catches_it(self):
        arn = self.function('large', 'exports.handler = async () => "x".repeat(300 * 1024);')
        machine = self.machine('too-large', {
            'Large': {'Type': 'Task', 'Resource': arn, 'Next': 'Never', 'Catch': [{'ErrorEquals': ['States.ALL'], 'Next': 'Never'}]},
            'Never': {'Type': 'Succeed'}}, [('lambda:InvokeFunction', arn)])
        self.assertEqual(self.run_machine(machine)['error'], 'States.DataLimitExceeded')

    def test_sdk_integration_of_sagemaker_uses_the_service_and_the_role(self):
        state = {'Type': 'Task', 'Resource': 'arn:aws:states:::aws-sdk:sagemaker:createModel', 'End': True,
                 'Parameters': {'ModelName': 'Bikes-1', 'ExecutionRoleArn': self.job_role, 'PrimaryContainer': {'Image': 'i'}}}
        machine = self.machine('sdk-model', {'Model': state}, [('sagemaker:CreateModel', f'{SAGEMAKER}:model/bikes-*'), self.training[1]])
        self.assertEqual(json.loads(self.run_machine(machine)['output'])['Echo'], 'CreateModel')
        denied = self.run_machine(self.machine('sdk-denied', {'Model': state}, [('sagemaker:CreateModel', f'{SAGEMAKER}:model/other')]))
        self.assertEqual(denied['error'], 'SageMaker.SageMakerException')

    def test_failing_branch_ends_the_others_and_their_jobs(self):
        states = {'Both': {'Type': 'Parallel', 'End': True, 'Branches': [
            {'StartAt': 'Train', 'States': {'Train': self.train('branch-runs')}},
            {'StartAt': 'Soon', 'States': {'Soon': {'Type': 'Wait', 'Seconds': 50, 'Next': 'No'}, 'No': {'Type': 'Fail', 'Error': 'Branch.Failed'}}},
        ]}}
        ended = self.run_machine(self.machine('branches', states, self.training))
        self.assertEqual(ended['error'], 'Branch.Failed')
        wait_until(lambda: 'StopTrainingJob' in self.sagemaker.operations('branch-runs'))

    def test_nested_machine_is_an_execution_with_events_and_ends_with_its_parent(self):
        child = self.machine('child', {'Wait': {'Type': 'Wait', 'Seconds': 3000, 'End': True}})
        execution = child.replace(':stateMachine:', ':execution:')
        rule = RULE.replace('SageMakerTrainingJobs', 'StepFunctionsExecution')
        parent = self.machine('parent', {'Run': {
            'Type': 'Task', 'Resource': 'arn:aws:states:::states:startExecution.sync:2', 'End': True, 'Parameters': {'StateMachineArn': child}}}, [
                ('states:StartExecution', child), (['states:DescribeExecution', 'states:StopExecution'], f'{execution}:*'),
                (['events:PutTargets', 'events:PutRule', 'events:DescribeRule'], rule)])
        sfn = self.client('stepfunctions')
        arn = sfn.start_execution(stateMachineArn=parent)['executionArn']
        running = wait_until(lambda: sfn.list_executions(stateMachineArn=child)['executions'])[0]['executionArn']
        sfn.stop_execution(executionArn=arn)
        self.assertEqual(self.ended(running)['status'], 'ABORTED')

    def test_waits_are_scaled(self):
        began = time.monotonic()
        ended = self.run_machine(self.machine('waits', {'Wait': {'Type': 'Wait', 'Seconds': 60, 'End': True}}))
        self.assertEqual(ended['status'], 'SUCCEEDED')
        self.assertLess(time.monotonic() - began, 5)

    def test_role_that_does_not_trust_step_functions_is_refused(self):
        with self.assertRaises(ClientError) as caught:
            self.machine('untrusted', {'A': {'Type': 'Succeed'}}, role=self.role('untrusting', (), 'lambda.amazonaws.com'))
        self.assertEqual(caught.exception.response['Error']['Code'], 'AccessDeniedException')


if __name__ == '__main__':
    unittest.main()
