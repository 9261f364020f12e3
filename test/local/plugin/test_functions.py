"""Functions see what Lambda shows them, fail within Lambda's limits, log with their role, and end with the engine."""

import json
import os
import signal
import subprocess
import sys
import time
import unittest

from botocore.exceptions import ClientError
from harness import ACCOUNT, REGION, ROOT, TOKEN, EngineTest, free_port, wait_until


class FunctionTest(EngineTest):
    def invoke(self, name, payload=None):
        answer = self.client('lambda').invoke(FunctionName=name, Payload=json.dumps(payload or {}))
        return answer.get('FunctionError'), json.loads(answer['Payload'].read())

    def test_error_has_its_own_name_message_and_trace(self):
        self.function('named', '''
class RegistryConflict extends Error { constructor(m) { super(m); this.name = 'RegistryConflict'; } }
exports.handler = async () => { throw new RegistryConflict('v2 exists'); };''')
        error, body = self.invoke('named')
        self.assertEqual((error, body['errorType'], body['errorMessage']), ('Unhandled', 'RegistryConflict', 'v2 exists'))
        self.assertIn('RegistryConflict: v2 exists', body['trace'][0])

    def test_python_error_has_its_class(self):
        self.function('python', 'class Refused(Exception): pass\ndef handler(event, context):\n    raise Refused("no")\n', runtime='python3.12')
        self.assertEqual(self.invoke('python')[1]['errorType'], 'Refused')

    def test_environment_is_that_of_lambda_and_hides_the_engine(self):
        self.function('env', 'exports.handler = async () => process.env;')
        env = self.invoke('env')[1]
        self.assertEqual((env['AWS_EXECUTION_ENV'], env['AWS_LAMBDA_LOG_GROUP_NAME']), ('AWS_Lambda_nodejs22.x', '/aws/lambda/env'))
        self.assertEqual(env['AWS_ENDPOINT_URL'], self.endpoint)
        self.assertTrue(env['AWS_ACCESS_KEY_ID'].startswith('ASIA'))
        self.assertFalse([n for n in env if n.startswith('MLOPS_') or n == 'PYTHONPATH'])
        self.assertNotIn(TOKEN, json.dumps(env))

    def test_payload_limits(self):
        self.function('big', 'exports.handler = async (e) => e.n ? "x".repeat(e.n) : "ok";')
        self.assertEqual(self.invoke('big', {'n': 7 * 1024 * 1024})[1]['errorType'], 'Function.ResponseSizeTooLarge')
        with self.assertRaises(ClientError) as caught:
            self.invoke('big', {'text': 'x' * (7 * 1024 * 1024)})
        self.assertEqual(caught.exception.response['ResponseMetadata']['HTTPStatusCode'], 413)

    def test_function_without_log_permissions_leaves_no_lines(self):
        self.function('silent', 'exports.handler = async () => { console.log("hello"); };', self.role('silent-role', (), 'lambda.amazonaws.com'))
        self.invoke('silent')
        denied = [row['action'] for row in self.door('GET', 'permissions')[1]['denied'] if row['role'].endswith('/silent-role')]
        self.assertEqual(denied, ['logs:CreateLogGroup'])
        groups = self.client('logs').describe_log_groups(logGroupNamePrefix='/aws/lambda/silent')['logGroups']
        self.assertEqual(groups, [])

    def test_machine_logs_its_history_when_its_role_may(self):
        logs, sfn = self.client('logs'), self.client('stepfunctions')
        logs.create_log_group(logGroupName='machine')
        config = {'level': 'ALL', 'includeExecutionData': True, 'destinations': [
            {'cloudWatchLogsLogGroup': {'logGroupArn': f'arn:aws:logs:{REGION}:{ACCOUNT}:log-group:machine:*'}}]}
        definition = json.dumps({'StartAt': 'A', 'States': {'A': {'Type': 'Pass', 'End': True}}})
        request = {'name': 'logged', 'definition': definition, 'loggingConfiguration': config}
        role = self.role('logged-role')
        with self.assertRaises(ClientError) as caught:
            sfn.create_state_machine(roleArn=role, **request)
        self.assertIn('Log Destination', caught.exception.response['Error']['Message'])
        self.policy('logged-role', [('logs:*', '*')])
        self.run_machine(sfn.create_state_machine(roleArn=role, **request)['stateMachineArn'])
        types = [json.loads(e['message'])['type'] for e in logs.filter_log_events(logGroupName='machine')['events']]
        self.assertIn('PassStateEntered', types)
        self.assertEqual(types[-1], 'ExecutionSucceeded')

    def test_key_is_asked_for_encrypted_objects(self):
        kms, s3 = self.client('kms'), self.client('s3')
        key = kms.create_key()['KeyMetadata']['Arn']
        s3.create_bucket(Bucket='sealed')
        s3.put_bucket_encryption(Bucket='sealed', ServerSideEncryptionConfiguration={'Rules': [
            {'ApplyServerSideEncryptionByDefault': {'SSEAlgorithm': 'aws:kms', 'KMSMasterKeyID': key}}]})
        role = self.role('sealing', [('s3:*', '*')], 'lambda.amazonaws.com')
        client = self.client('s3', self.door('POST', 'session', {'roleArn': role, 'service': 'lambda.amazonaws.com'})[1])
        with self.assertRaises(ClientError) as caught:
            client.put_object(Bucket='sealed', Key='a', Body=b'1')
        self.assertIn('kms:GenerateDataKey', caught.exception.response['Error']['Message'])
        self.policy('sealing', [('s3:*', '*'), ('kms:GenerateDataKey', key)])
        client.put_object(Bucket='sealed', Key='a', Body=b'1')
        with self.assertRaises(ClientError) as caught:
            client.get_object(Bucket='sealed', Key='a')
        self.assertIn('kms:Decrypt', caught.exception.response['Error']['Message'])
        s3.put_object(Bucket='sealed', Key='b', Body=b'1', ServerSideEncryption='aws:kms')

    def test_engine_and_its_workers_end_with_the_parent(self):
        parent = subprocess.Popen(['sleep', '60'])
        port = free_port()
        engine = subprocess.Popen([sys.executable, '-m', 'mlops_engine'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={
            **{n: v for n, v in os.environ.items() if not n.startswith('AWS_')}, 'PYTHONPATH': os.path.join(ROOT, 'local', 'plugin'),
            'GATEWAY_PORT': str(port), 'MLOPS_ENGINE_TOKEN': TOKEN, 'MLOPS_PARENT_PID': str(parent.pid), 'TMPDIR': self.directory})
        second = type('Second', (EngineTest,), {'port': port, 'endpoint': f'http://127.0.0.1:{port}', 'process': engine, 'log': self.log})
        wait_until(second._healthy, 60, 0.2)
        second.function('pid', 'exports.handler = async () => process.pid;')
        worker = json.loads(second.client('lambda').invoke(FunctionName='pid')['Payload'].read())
        os.kill(worker, 0)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        engine.wait(timeout=10)
        wait_until(lambda: not os.path.exists(f'/proc/{worker}') or time.sleep(0), 5)


if __name__ == '__main__':
    unittest.main()
