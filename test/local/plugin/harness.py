"""Starts the engine once for a test class, with a small SageMaker service of its own, and gives boto3 clients for it."""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from botocore.config import Config

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..', '..'))
ACCOUNT, REGION, TOKEN = '000000000000', 'us-east-1', 'test-token'


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds: float = 20, every: float = 0.1):
    """The first truthy value of the condition, or an assertion error."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f'Not within {seconds} s')
        time.sleep(every)


class FakeSageMaker:
    """Jobs that end as their name says (`…-fails`, `…-runs`), and whatever else is asked for answered with the request."""

    def __init__(self):
        self.requests, self.jobs, self.raw, self.faults = [], {}, [], []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get('content-length', 0)))
                if self.path.startswith('/api/'):
                    status, answer, kind = *fake.control(self.path[5:], json.loads(body or b'{}'), self.headers), 'application/json'
                    answer = json.dumps(answer).encode()
                else:
                    fake.raw.append((self.path, dict(self.headers), body))
                    status, answer, kind = 200, b'0.5\n', 'text/csv'
                self.send_response(status)
                self.send_header('Content-Type', kind)
                self.send_header('x-Amzn-Invoked-Production-Variant', 'AllTraffic')
                self.send_header('Content-Length', str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def control(self, operation, params, headers):
        if headers.get('x-mlops-engine-token') != TOKEN:
            return 403, {'__type': 'AccessDeniedException', 'message': 'no token'}
        self.requests.append((operation, params, headers.get('x-mlops-principal'), headers.get('x-mlops-origin')))
        if headers.get('x-mlops-fault'):
            self.faults.append((operation, json.loads(headers['x-mlops-fault'])))
        noun = next((n for n in ('TrainingJob', 'TransformJob', 'ProcessingJob') if operation.endswith(n)), None)
        if noun is None:
            return 200, {'Echo': operation, 'ModelArn': 'arn:aws:sagemaker:us-east-1:000000000000:model/m'}
        name = params.get(f'{noun}Name')
        if operation.startswith('Create'):
            if name in self.jobs:
                return 400, {'__type': 'ResourceInUse', 'message': f'{name} already exists'}
            self.jobs[name] = 'InProgress'
            return 200, {f'{noun}Arn': f'arn:aws:sagemaker:{REGION}:{ACCOUNT}:job/{name}'}
        if operation.startswith('Stop'):
            self.jobs[name] = 'Stopped'
            return 200, {}
        if self.jobs.get(name) == 'InProgress' and not name.endswith('-runs'):
            self.jobs[name] = 'Failed' if name.endswith('-fails') else 'Completed'
        reason = 'AlgorithmError: no' if name.endswith('-fails') else ''
        return 200, {f'{noun}Name': name, f'{noun}Status': self.jobs.get(name), 'FailureReason': reason}

    def operations(self, name=None):
        return [op for op, params, *_ in list(self.requests) if name is None or name in params.values()]


class EngineTest(unittest.TestCase):
    """A test class with an engine of its own."""

    environment: dict = {}

    @classmethod
    def setUpClass(cls):
        cls.sagemaker = FakeSageMaker()
        cls.port = free_port()
        cls.directory = tempfile.mkdtemp(prefix='mlops-engine-test-')
        inherited = {n: v for n, v in os.environ.items() if not n.startswith('AWS_')}
        cls.log = open(os.path.join(cls.directory, 'engine.log'), 'w+', encoding='utf-8')
        cls.process = subprocess.Popen([sys.executable, '-m', 'mlops_engine'], stdout=cls.log, stderr=subprocess.STDOUT, env={
            **inherited, 'PYTHONPATH': os.path.join(ROOT, 'local', 'plugin'), 'GATEWAY_PORT': str(cls.port), 'BIND_HOST': '127.0.0.1',
            'AUTH': 'true', 'MLOPS_ENGINE_TOKEN': TOKEN, 'MLOPS_SAGEMAKER_URL': cls.sagemaker.url, 'MLOPS_PARENT_PID': str(os.getpid()),
            'TMPDIR': cls.directory, 'SFN_WAIT_SCALE': '0.02', 'LOG_LEVEL': 'INFO', **cls.environment,
        })
        cls.endpoint = f'http://127.0.0.1:{cls.port}'
        try:
            wait_until(cls._healthy, 60, 0.2)
        except AssertionError:
            cls.log.seek(0)
            print(cls.log.read()[-4000:])
            raise

    @classmethod
    def _healthy(cls):
        if cls.process.poll() is not None:
            cls.log.seek(0)
            raise RuntimeError(cls.log.read()[-4000:])
        try:
            return cls.door('GET', 'health')[0] == 200
        except OSError:
            return False

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        try:
            cls.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            cls.process.kill()
        cls.sagemaker.server.shutdown()
        cls.sagemaker.server.server_close()
        cls.log.close()
        if os.environ.get('MLOPS_KEEP_LOGS'):
            print('log:', os.path.join(cls.directory, 'engine.log'))
        else:
            shutil.rmtree(cls.directory, ignore_errors=True)

    @classmethod
    def door(cls, method, name, body=None, token=TOKEN):
        """Status and answer of the engine's private routes."""
        request = urllib.request.Request(f'{cls.endpoint}/_mlops/{name}', method=method, data=json.dumps(body).encode() if body else None)
        if token:
            request.add_header('x-mlops-engine-token', token)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    @classmethod
    def client(cls, service, credentials=None):
        keys = credentials or {'AccessKeyId': 'test', 'SecretAccessKey': 'test', 'SessionToken': None}
        return boto3.client(
            service, endpoint_url=cls.endpoint, region_name=REGION, aws_access_key_id=keys['AccessKeyId'],
            aws_secret_access_key=keys['SecretAccessKey'], aws_session_token=keys['SessionToken'],
            config=Config(retries={'max_attempts': 1}, s3={'addressing_style': 'path'}))

    @classmethod
    def role(cls, name, statements=(), service='states.amazonaws.com'):
        """A role that the service may assume, with one policy of (actions, resource[, condition]) statements; its ARN."""
        iam = cls.client('iam')
        trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': service}, 'Action': 'sts:AssumeRole'}]}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        cls.policy(name, statements)
        return f'arn:aws:iam::{ACCOUNT}:role/{name}'

    @classmethod
    def policy(cls, role, statements):
        rows = [{'Effect': 'Allow', 'Action': s[0], 'Resource': s[1], **({'Condition': s[2]} if len(s) > 2 else {})} for s in statements]
        if rows:
            cls.client('iam').put_role_policy(
                RoleName=role, PolicyName='p', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': rows}))

    @classmethod
    def function(cls, name, source, role=None, runtime='nodejs22.x', **kwargs):
        """A function whose handler is given as source text; its ARN."""
        file, handler = ('index.py', 'index.handler') if runtime.startswith('python') else ('index.js', 'index.handler')
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, 'w') as archive:
            archive.writestr(file, source)
        role = role or cls.role(f'{name}-role', [('logs:*', '*')], 'lambda.amazonaws.com')
        return cls.client('lambda').create_function(
            FunctionName=name, Runtime=runtime, Role=role, Handler=handler, Code={'ZipFile': packed.getvalue()}, Timeout=20, **kwargs)['FunctionArn']

    @classmethod
    def machine(cls, name, states, statements=(), role=None, **definition):
        """A state machine whose own role has these permissions; its ARN."""
        role = role or cls.role(f'{name}-role', statements)
        text = json.dumps({'StartAt': next(iter(states)), 'States': states, **definition})
        return cls.client('stepfunctions').create_state_machine(name=name, definition=text, roleArn=role)['stateMachineArn']

    @classmethod
    def run_machine(cls, machine, data=None, seconds=20):
        """Start an execution and return its description once it has ended."""
        arn = cls.client('stepfunctions').start_execution(stateMachineArn=machine, input=json.dumps(data or {}))['executionArn']
        return cls.ended(arn, seconds)

    @classmethod
    def ended(cls, execution, seconds=20):
        sfn = cls.client('stepfunctions')

        def described():
            found = sfn.describe_execution(executionArn=execution)
            return found if found['status'] != 'RUNNING' else None

        return wait_until(described, seconds, 0.05)

    @classmethod
    def queue_of_events(cls, name, pattern, bus='default'):
        """A queue that receives every event of the bus that matches the pattern; its URL."""
        sqs, events = cls.client('sqs'), cls.client('events')
        url = sqs.create_queue(QueueName=name)['QueueUrl']
        arn = f'arn:aws:sqs:{REGION}:{ACCOUNT}:{name}'
        sqs.set_queue_attributes(QueueUrl=url, Attributes={'Policy': json.dumps({'Version': '2012-10-17', 'Statement': [{
            'Effect': 'Allow', 'Principal': {'Service': 'events.amazonaws.com'}, 'Action': 'sqs:SendMessage', 'Resource': arn}]})})
        events.put_rule(Name=name, EventPattern=json.dumps(pattern), EventBusName=bus)
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{'Id': 'q', 'Arn': arn}])
        return url

    @classmethod
    def messages(cls, url, count=1, seconds=10):
        """The bodies of the next messages of a queue, as JSON."""
        sqs, found = cls.client('sqs'), []

        def receive():
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get('Messages', []):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message['ReceiptHandle'])
                found.append(json.loads(message['Body']))
            return len(found) >= count

        wait_until(receive, seconds)
        return found
