"""Rules, schedules and delivery streams use the roles and policies they were given, and failures are not lost."""

import gzip
import json
import time
import unittest

from harness import ACCOUNT, REGION, EngineTest, wait_until

ECHO = 'exports.handler = async (event) => { console.log("GOT", JSON.stringify(event)); };'


class EventTest(EngineTest):
    def queue(self, name):
        arn = f'arn:aws:sqs:{REGION}:{ACCOUNT}:{name}'
        url = self.client('sqs').create_queue(QueueName=name)['QueueUrl']
        self.client('sqs').set_queue_attributes(QueueUrl=url, Attributes={'Policy': json.dumps({'Version': '2012-10-17', 'Statement': [{
            'Effect': 'Allow', 'Principal': {'Service': 'events.amazonaws.com'}, 'Action': 'sqs:SendMessage', 'Resource': arn}]})})
        return url, arn

    def rule(self, name, target, pattern=None):
        events = self.client('events')
        arn = events.put_rule(Name=name, EventPattern=json.dumps(pattern or {'source': [name]}))['RuleArn']
        events.put_targets(Rule=name, Targets=[{'Id': 't', **target}])
        return arn

    def send(self, source, **detail):
        self.client('events').put_events(Entries=[{'Source': source, 'DetailType': 'Test', 'Detail': json.dumps(detail)}])

    def got(self, function):
        try:
            found = self.client('logs').filter_log_events(logGroupName=f'/aws/lambda/{function}')['events']
        except self.client('logs').exceptions.ResourceNotFoundException:
            return []
        return [json.loads(e['message'].split('GOT ', 1)[1]) for e in found if 'GOT ' in e['message']]

    def test_rule_starts_executions_with_the_role_of_its_target_only(self):
        machine = self.machine('started', {'A': {'Type': 'Succeed'}})
        url, dead = self.queue('rule-dead')
        powerless = self.role('powerless', (), 'events.amazonaws.com')
        self.rule('powerless', {'Arn': machine, 'RoleArn': powerless, 'DeadLetterConfig': {'Arn': dead}})
        self.send('powerless', a=1)
        self.assertEqual(self.messages(url)[0]['detail'], {'a': 1})
        executions = self.client('stepfunctions').list_executions
        self.assertEqual(executions(stateMachineArn=machine)['executions'], [])
        starter = self.role('starter', [('states:StartExecution', machine)], 'events.amazonaws.com')
        self.rule('starter', {'Arn': machine, 'RoleArn': starter})
        self.send('starter', a=1)
        wait_until(lambda: executions(stateMachineArn=machine)['executions'])

    def test_function_must_let_the_rule_in_and_its_failures_reach_its_own_dead_letters(self):
        arn = self.function('target', ECHO)
        url, dead = self.queue('uninvited')
        rule = self.rule('invite', {'Arn': arn, 'DeadLetterConfig': {'Arn': dead}})
        self.send('invite', n=1)
        self.messages(url)
        self.client('lambda').add_permission(
            FunctionName='target', StatementId='s', Action='lambda:InvokeFunction', Principal='events.amazonaws.com', SourceArn=rule)
        self.send('invite', n=2)
        self.assertEqual([e['detail']['n'] for e in wait_until(lambda: self.got('target'))], [2])
        letters, letters_arn = self.queue('function-dead')
        role = self.role('throwing-role', [('sqs:SendMessage', letters_arn)], 'lambda.amazonaws.com')
        throwing = self.function('throwing', 'exports.handler = async () => { throw new Error("no"); };', role,
                                 DeadLetterConfig={'TargetArn': letters_arn})
        self.client('lambda').put_function_event_invoke_config(FunctionName='throwing', MaximumRetryAttempts=0)
        rule = self.rule('throws', {'Arn': throwing})
        self.client('lambda').add_permission(
            FunctionName='throwing', StatementId='s', Action='lambda:InvokeFunction', Principal='events.amazonaws.com', SourceArn=rule)
        self.send('throws', n=3)
        self.messages(letters)

    def test_patterns_and_quotes(self):
        url, arn = self.queue('patterns')
        self.rule('patterns', {'Arn': arn, 'InputTransformer': {
            'InputPathsMap': {'why': '$.detail.why', 'n': '$.detail.n'}, 'InputTemplate': '{"text": "because <why>", "n": <n>}'}},
            {'source': ['patterns'], 'detail': {
                'n': [{'numeric': ['>', 1, '<=', 3]}], 'kind': [{'anything-but': ['skip']}], 'why': [{'prefix': 'he'}]}})
        self.send('patterns', n=0, kind='a', why='he')
        self.send('patterns', n=2, kind='skip', why='he')
        self.send('patterns', n=2, kind='a', why='no')
        self.send('patterns', n=2, kind='a', why='he said "no"\n')
        self.assertEqual(self.messages(url), [{'text': 'because he said "no"\n', 'n': 2}])

    def test_schedule_uses_its_role_and_knows_its_time(self):
        arn = self.function('scheduled', ECHO)
        role = self.role('scheduling', [('lambda:InvokeFunction', arn)], 'scheduler.amazonaws.com')
        self.client('scheduler').create_schedule(
            Name='once', ScheduleExpression=f"at({time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())})", FlexibleTimeWindow={'Mode': 'OFF'},
            Target={'Arn': arn, 'RoleArn': role, 'Input': '{"at": "<aws.scheduler.scheduled-time>"}'}, ActionAfterCompletion='DELETE')
        event = wait_until(lambda: self.got('scheduled'))[0]
        self.assertRegex(event['at'], r'^20\d\d-\d\d-\d\dT')
        wait_until(lambda: not self.client('scheduler').list_schedules(NamePrefix='once')['Schedules'])

    def test_schedule_may_call_an_api_and_its_failure_is_dead_lettered(self):
        url, dead = self.queue('schedule-dead')
        machine = self.machine('by-schedule', {'A': {'Type': 'Succeed'}})
        now = f"at({time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())})"
        call = {'Arn': 'arn:aws:scheduler:::aws-sdk:sfn:startExecution', 'Input': json.dumps({'StateMachineArn': machine, 'Input': '{}'})}
        allowed = self.role('schedule-allowed', [('states:StartExecution', machine)], 'scheduler.amazonaws.com')
        denied = self.role('schedule-denied', (), 'scheduler.amazonaws.com')
        for name, role in (('allowed', allowed), ('denied', denied)):
            self.client('scheduler').create_schedule(
                Name=name, ScheduleExpression=now, FlexibleTimeWindow={'Mode': 'OFF'},
                Target={**call, 'RoleArn': role, 'DeadLetterConfig': {'Arn': dead}})
        wait_until(lambda: self.client('stepfunctions').list_executions(stateMachineArn=machine)['executions'])
        self.assertEqual(self.messages(url)[0]['StateMachineArn'], machine)
        self.assertEqual(len(self.client('stepfunctions').list_executions(stateMachineArn=machine)['executions']), 1)

    def test_delivery_stream_joins_records_under_a_dated_prefix(self):
        s3, firehose = self.client('s3'), self.client('firehose')
        s3.create_bucket(Bucket='captured')
        role = self.role('delivery', [('s3:PutObject', 'arn:aws:s3:::captured/*')], 'firehose.amazonaws.com')
        blocked = self.role('blocked', (), 'firehose.amazonaws.com')
        for name, its_role in (('good', role), ('bad', blocked)):
            firehose.create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration={
                'BucketARN': 'arn:aws:s3:::captured', 'RoleARN': its_role, 'Prefix': f'{name}/!{{timestamp:yyyy/MM/dd/HH}}/',
                'ErrorOutputPrefix': 'errors/!{firehose:error-output-type}/', 'CompressionFormat': 'GZIP' if name == 'bad' else 'UNCOMPRESSED'})
        firehose.put_record_batch(DeliveryStreamName='good', Records=[{'Data': b'{"n":1}\n'}, {'Data': b'{"n":2}\n'}])
        firehose.put_record(DeliveryStreamName='good', Record={'Data': b'{"n":3}\n'})
        firehose.put_record(DeliveryStreamName='bad', Record={'Data': b'x'})
        keys = wait_until(lambda: [o['Key'] for o in s3.list_objects_v2(Bucket='captured').get('Contents', [])])
        time.sleep(0.5)
        self.assertEqual(len(keys), 1)
        self.assertTrue(keys[0].startswith(time.strftime('good/%Y/%m/%d/%H/', time.gmtime())), keys)
        self.assertEqual(s3.get_object(Bucket='captured', Key=keys[0])['Body'].read(), b'{"n":1}\n{"n":2}\n{"n":3}\n')
        denied = [row for row in self.door('GET', 'permissions')[1]['denied'] if row['role'].endswith('/blocked')]
        self.assertEqual(denied[0]['action'], 's3:PutObject')
        self.policy('blocked', [('s3:PutObject', 'arn:aws:s3:::captured/*')])
        firehose.put_record(DeliveryStreamName='bad', Record={'Data': b'packed'})
        packed = wait_until(lambda: [o['Key'] for o in s3.list_objects_v2(Bucket='captured', Prefix='bad/').get('Contents', [])])
        self.assertTrue(packed[0].endswith('.gz'))
        self.assertEqual(gzip.decompress(s3.get_object(Bucket='captured', Key=packed[0])['Body'].read()), b'packed')


if __name__ == '__main__':
    unittest.main()
