"""HTTP APIs: signatures and permissions on signed routes, limits, events and answers, as API Gateway has them."""

import base64
import datetime
import hashlib
import json
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from harness import ACCOUNT, REGION, EngineTest, wait_until

ECHO = '''
exports.handler = async (event) => {
  const ask = new URLSearchParams(event.rawQueryString);
  if (ask.get('sleep')) await new Promise((resolve) => setTimeout(resolve, Number(ask.get('sleep'))));
  if (ask.get('throw')) throw new Error('inner secret');
  if (ask.get('big')) return { statusCode: 200, body: 'x'.repeat(Number(ask.get('big'))) };
  if (ask.get('binary')) return { statusCode: 201, headers: { 'Content-Type': 'image/png' }, isBase64Encoded: true, body: 'AAH/' };
  if (ask.get('redirect')) return { statusCode: 307, headers: { location: ask.get('redirect') } };
  if (ask.get('plain')) return { hello: 'you' };
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(event) };
};
'''
TEMPLATE = {
    'Api': {'Type': 'AWS::ApiGatewayV2::Api', 'Properties': {'Name': 'api', 'ProtocolType': 'HTTP'}},
    'Integration': {'Type': 'AWS::ApiGatewayV2::Integration', 'Properties': {
        'ApiId': {'Ref': 'Api'}, 'IntegrationType': 'AWS_PROXY', 'PayloadFormatVersion': '2.0', 'TimeoutInMillis': 1500,
        'IntegrationUri': f'arn:aws:lambda:{REGION}:{ACCOUNT}:function:echo'}},
    'Signed': {'Type': 'AWS::ApiGatewayV2::Route', 'Properties': {
        'ApiId': {'Ref': 'Api'}, 'RouteKey': 'ANY /iam/{proxy+}', 'AuthorizationType': 'AWS_IAM',
        'Target': {'Fn::Join': ['', ['integrations/', {'Ref': 'Integration'}]]}}},
    'Open': {'Type': 'AWS::ApiGatewayV2::Route', 'Properties': {
        'ApiId': {'Ref': 'Api'}, 'RouteKey': 'ANY /open/{proxy+}', 'Target': {'Fn::Join': ['', ['integrations/', {'Ref': 'Integration'}]]}}},
    'Log': {'Type': 'AWS::Logs::LogGroup', 'Properties': {'LogGroupName': 'access'}},
    'Stage': {'Type': 'AWS::ApiGatewayV2::Stage', 'Properties': {
        'ApiId': {'Ref': 'Api'}, 'StageName': '$default', 'AutoDeploy': True,
        'DefaultRouteSettings': {'ThrottlingRateLimit': 1000, 'ThrottlingBurstLimit': 1000},
        'AccessLogSettings': {'DestinationArn': {'Fn::GetAtt': ['Log', 'Arn']}, 'Format': json.dumps({
            'caller': '$context.identity.userArn', 'path': '$context.path', 'status': '$context.status', 'at': '$context.requestTimeEpoch',
            'error': '$context.integrationErrorMessage'})}}},
    'Permission': {'Type': 'AWS::Lambda::Permission', 'Properties': {
        'FunctionName': 'echo', 'Action': 'lambda:InvokeFunction', 'Principal': 'apigateway.amazonaws.com',
        'SourceArn': {'Fn::Join': ['', [f'arn:aws:execute-api:{REGION}:{ACCOUNT}:', {'Ref': 'Api'}, '/*/*']]}}},
}


class HttpApiTest(EngineTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.function('echo', ECHO)
        cls.url = cls.stack('api', TEMPLATE)
        api = cls.url.rsplit('/', 1)[1]
        arn = f'arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/$default'
        cls.reader = cls.keys('reader', [('execute-api:Invoke', [f'{arn}/GET/iam/*', f'{arn}/POST/iam/search'])])
        cls.writer = cls.keys('writer', [('execute-api:Invoke', f'{arn}/*')])

    @classmethod
    def stack(cls, name, resources):
        """Deploys the resources; the address of their API."""
        formation = cls.client('cloudformation')
        body = {'Resources': resources, 'Outputs': {'Url': {'Value': {'Fn::GetAtt': ['Api', 'ApiEndpoint']}}}}
        formation.create_stack(StackName=name, TemplateBody=json.dumps(body))
        done = wait_until(lambda: next((s for s in formation.describe_stacks(StackName=name)['Stacks'] if s['StackStatus'] != 'CREATE_IN_PROGRESS'), 0))
        assert done['StackStatus'] == 'CREATE_COMPLETE', done
        return done['Outputs'][0]['OutputValue']

    @classmethod
    def keys(cls, name, statements):
        status, keys = cls.door('POST', 'session', {'roleArn': cls.role(name, statements, 'lambda.amazonaws.com'), 'service': 'lambda.amazonaws.com'})
        assert status == 200, keys
        return keys

    def send(self, method, path, body=None, headers=None):
        """Status, headers and body; redirects are not followed."""
        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None

        request = urllib.request.Request(f'{self.url}{path}', data=body, headers=headers or {}, method=method)
        try:
            with urllib.request.build_opener(Stay).open(request, timeout=30) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def signature(self, method, path, keys, body=None, headers=None, service='execute-api', region=REGION, shift=0):
        """Headers of a signed request; `shift` is by how many seconds the signer's clock is fast."""
        request = AWSRequest(method, f'{self.url}{path}', data=body, headers=headers or {})
        signer = SigV4Auth(Credentials(keys['AccessKeyId'], keys['SecretAccessKey'], keys['SessionToken']), service, region)
        if shift:
            import botocore.auth
            real = botocore.auth.get_current_datetime
            botocore.auth.get_current_datetime = lambda *_, **__: real() + datetime.timedelta(seconds=shift)
            try:
                signer.add_auth(request)
            finally:
                botocore.auth.get_current_datetime = real
        else:
            signer.add_auth(request)
        return dict(request.headers)

    def signed(self, method, path, keys, body=None, headers=None, **options):
        return self.send(method, path, body, self.signature(method, path, keys, body, headers, **options))

    def echoed(self, answer):
        self.assertEqual(answer[0], 200, answer)
        return json.loads(answer[2])

    def assert_forbidden(self, answer):
        self.assertEqual((answer[0], json.loads(answer[2])), (403, {'message': 'Forbidden'}))

    def test_address_of_the_api_is_on_the_loopback_interface_and_needs_no_stage(self):
        self.assertRegex(self.url, rf'^http://127\.0\.0\.1:{self.port}/_aws/execute-api/[0-9a-f]+$')
        api = self.client('apigatewayv2').get_api(ApiId=self.url.rsplit('/', 1)[1])
        self.assertEqual(api['ApiEndpoint'], self.url)
        self.assertEqual(self.send('GET', '/other')[::2], (404, b'{"message":"Not Found"}'))

    def test_signer_is_named_to_the_function(self):
        event = self.echoed(self.signed('GET', '/iam/x', self.writer))
        caller = event['requestContext']['authorizer']['iam']
        self.assertEqual(caller['userArn'], f'arn:aws:sts::{ACCOUNT}:assumed-role/writer/lambda')
        self.assertEqual((caller['accountId'], caller['accessKey']), (ACCOUNT, self.writer['AccessKeyId']))
        self.assertEqual(event['rawPath'], '/iam/x')

    def test_requests_that_are_hard_to_sign_are_verified_too(self):
        name = urllib.parse.quote('a b/ü%+~*(1).txt', safe='/')
        for path in (f'/iam/files/{name}', '/iam/x?filter=a%20%3D%20%27b%27&order=1', '/iam/x?b=2&b=1&a=%C3%BC&empty=', '/iam/x?z=%2B&plus=a%2Bb'):
            self.assertEqual(self.echoed(self.signed('GET', path, self.writer))['requestContext']['http']['method'], 'GET')
        for method in ('POST', 'PUT', 'PATCH', 'DELETE'):
            event = self.echoed(self.signed(method, '/iam/x?a=1', self.writer, b'{"n":"\xc3\xbc"}', {'Content-Type': 'application/json'}))
            self.assertEqual((event['body'], event['isBase64Encoded']), ('{"n":"ü"}', False))

    def test_a_signature_that_does_not_hold_is_refused(self):
        wrong = {**self.writer, 'SecretAccessKey': 'wrong'}
        root = {'AccessKeyId': 'test', 'SecretAccessKey': 'test', 'SessionToken': None}
        body, kind = b'{"a":1}', {'Content-Type': 'application/json'}
        self.assertEqual(self.signed('POST', '/iam/x', root, body, kind)[0], 200)
        good = self.signature('POST', '/iam/x', self.writer, body, kind)
        self.assertEqual(self.send('POST', '/iam/x', body, good)[0], 200)
        token = {name: value for name, value in good.items() if name.lower() != 'x-amz-security-token'}
        for what, answer in {
            'no signature': self.send('GET', '/iam/x'),
            'bearer token': self.send('GET', '/iam/x', headers={'Authorization': 'Bearer abc'}),
            'wrong secret': self.signed('POST', '/iam/x', wrong, body, kind),
            'wrong secret of root': self.signed('POST', '/iam/x', {**root, 'SecretAccessKey': 'wrong'}, body, kind),
            'unknown key': self.signed('POST', '/iam/x', {**self.writer, 'AccessKeyId': 'ASIA0000000000000000'}, body, kind),
            'other body': self.send('POST', '/iam/x', b'{"a":2}', good),
            'other path': self.send('POST', '/iam/y', body, good),
            'other query': self.send('POST', '/iam/x?a=1', body, good),
            'other method': self.send('PUT', '/iam/x', body, good),
            'no session token': self.send('POST', '/iam/x', body, token),
            'other session token': self.send('POST', '/iam/x', body, {**token, 'X-Amz-Security-Token': 'abc'}),
            'other service': self.signed('POST', '/iam/x', self.writer, body, kind, service='lambda'),
            'other region': self.signed('POST', '/iam/x', self.writer, body, kind, region='eu-west-1'),
            'old': self.signed('POST', '/iam/x', self.writer, body, kind, shift=-310),
            'from the future': self.signed('POST', '/iam/x', self.writer, body, kind, shift=310),
            'malformed': self.send('GET', '/iam/x', headers={'Authorization': 'AWS4-HMAC-SHA256 Credential=a/b'}),
            'no date': self.send('POST', '/iam/x', body, {**good, 'X-Amz-Date': 'yesterday'}),
        }.items():
            with self.subTest(what):
                self.assert_forbidden(answer)

    def test_a_payload_is_hashed_whatever_a_header_says(self):
        body, kind = b'{"a":1}', {'Content-Type': 'application/json', 'X-Amz-Content-SHA256': hashlib.sha256(b'{"a":1}').hexdigest()}
        good = self.signature('POST', '/iam/x', self.writer, body, kind)
        self.assertEqual(self.send('POST', '/iam/x', body, good)[0], 200)
        self.assert_forbidden(self.send('POST', '/iam/x', b'{"a":2}', good))
        unsigned = {**kind, 'X-Amz-Content-SHA256': 'UNSIGNED-PAYLOAD'}
        self.assert_forbidden(self.signed('POST', '/iam/x', self.writer, body, unsigned))

    def test_permission_is_asked_for_method_and_path(self):
        self.assertEqual(self.signed('GET', '/iam/a/b', self.reader)[0], 200)
        self.assertEqual(self.signed('POST', '/iam/search', self.reader, b'{}')[0], 200)
        self.assert_forbidden(self.signed('POST', '/iam/create', self.reader, b'{}'))
        self.assert_forbidden(self.signed('DELETE', '/iam/a/b', self.reader))
        report = self.door('GET', 'permissions')[1]
        mine = {kind: {row['resource'].split('/', 1)[1] for row in rows if row['role'].endswith(':role/reader')} for kind, rows in report.items()}
        self.assertLessEqual({'$default/GET/iam/a/b', '$default/POST/iam/search'}, mine['used'])
        self.assertLessEqual({'$default/POST/iam/create', '$default/DELETE/iam/a/b'}, mine['denied'])
        self.assertEqual({row['action'] for row in report['denied'] if row['role'].endswith(':role/reader')}, {'execute-api:Invoke'})

    def test_event_is_the_one_of_format_two(self):
        event = self.echoed(self.send('GET', '/open/a%20b/c%2Fd%25?x=1&x=2&y=%20z&e=', headers={'Cookie': 'a=1; b=2', 'X-Mixed-Case': 'Kept'}))
        self.assertEqual(event['version'], '2.0')
        self.assertEqual(event['rawQueryString'], 'x=1&x=2&y=%20z&e=')
        self.assertEqual(event['queryStringParameters'], {'x': '1,2', 'y': ' z', 'e': ''})
        self.assertEqual(event['rawPath'], '/open/a b/c/d%25')
        self.assertEqual(event['cookies'], ['a=1', 'b=2'])
        self.assertEqual(event['headers']['x-mixed-case'], 'Kept')
        self.assertEqual(event['pathParameters'], {'proxy': 'a b/c/d%25'})
        self.assertNotIn('body', event)
        self.assertNotIn('authorizer', event['requestContext'])
        self.assertNotIn('queryStringParameters', self.echoed(self.send('GET', '/open/x')))

    def test_bodies_that_are_no_text_come_and_go_as_base64(self):
        event = self.echoed(self.send('PUT', '/open/x', bytes(range(256)), {'Content-Type': 'application/octet-stream'}))
        self.assertTrue(event['isBase64Encoded'])
        self.assertEqual(base64.b64decode(event['body']), bytes(range(256)))
        status, headers, body = self.send('GET', '/open/x?binary=1')
        self.assertEqual((status, headers['content-type'], body), (201, 'image/png', b'\x00\x01\xff'))

    def test_answers_take_the_forms_of_format_two(self):
        self.assertEqual(self.send('GET', '/open/x?plain=1')[::2], (200, b'{"hello": "you"}'))
        status, headers, body = self.send('GET', '/open/x?redirect=https://elsewhere.example/a')
        self.assertEqual((status, headers['location'], body), (307, 'https://elsewhere.example/a', b''))
        self.assertEqual(self.send('HEAD', '/open/x')[::2], (200, b''))

    def test_limits_of_size_are_those_of_api_gateway_and_lambda(self):
        megabyte = 1024 * 1024
        fits = {'Content-Type': 'text/plain'}
        self.assertEqual(self.send('POST', '/open/x?plain=1', b'x' * (5 * megabyte), fits)[0], 200)
        for size, headers in ((11 * megabyte, fits), (6 * megabyte, fits), (5 * megabyte, {'Content-Type': 'application/octet-stream'})):
            status, _, body = self.send('POST', '/open/x?plain=1', b'x' * size, headers)
            self.assertEqual((status, json.loads(body)), (413, {'message': 'Request Entity Too Large'}))
        self.assertEqual(len(self.send('GET', f'/open/x?big={5 * megabyte}')[2]), 5 * megabyte)
        self.assertEqual(self.send('GET', f'/open/x?big={7 * megabyte}')[::2], (500, b'{"message": "Internal Server Error"}'))

    def test_a_function_that_fails_or_is_late_tells_nothing_of_itself(self):
        self.assertEqual(self.send('GET', '/open/x?throw=1')[::2], (500, b'{"message": "Internal Server Error"}'))
        begun = time.monotonic()
        self.assertEqual(self.send('GET', '/open/x?sleep=6000')[::2], (503, b'{"message": "Service Unavailable"}'))
        self.assertLess(time.monotonic() - begun, 5)

    def test_a_function_must_let_the_api_invoke_it(self):
        self.function('closed', ECHO)
        resources = json.loads(json.dumps(TEMPLATE).replace('function:echo', 'function:closed').replace('"access"', '"access-closed"'))
        resources['Permission']['Properties'].update(FunctionName='closed', SourceArn=f'arn:aws:execute-api:{REGION}:{ACCOUNT}:other/*/*')
        url = self.stack('closed', resources)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f'{url}/open/x', timeout=10)
        self.assertEqual(refused.exception.code, 500)

    def test_more_requests_than_the_stage_takes_are_refused(self):
        resources = json.loads(json.dumps(TEMPLATE).replace('"access"', '"access-slow"'))
        resources['Stage']['Properties']['DefaultRouteSettings'] = {'ThrottlingRateLimit': 1, 'ThrottlingBurstLimit': 2}
        url = self.stack('slow', resources)
        statuses = []

        def ask():
            try:
                statuses.append(urllib.request.urlopen(f'{url}/open/x?plain=1', timeout=10).status)
            except urllib.error.HTTPError as error:
                statuses.append((error.code, error.read()))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.assertIn((429, b'{"message": "Too Many Requests"}'), statuses)
        self.assertGreaterEqual(statuses.count(200), 2)

    def test_access_log_has_caller_and_outcome(self):
        self.signed('GET', '/iam/logged', self.reader)
        self.signed('PUT', '/iam/logged', self.reader)
        self.send('GET', '/open/logged?throw=1')

        def lines():
            events = self.client('logs').filter_log_events(logGroupName='access')['events']
            found = [json.loads(event['message']) for event in events]
            mine = [(line['path'], line['caller'].rpartition('role/')[2], line['status']) for line in found if line['path'].endswith('/logged')]
            self.assertTrue(all(line['at'].isdigit() for line in found))
            return mine if len(mine) >= 3 else None

        self.assertEqual(sorted(wait_until(lines)), [('/iam/logged', 'reader/lambda', '200'), ('/iam/logged', 'reader/lambda', '403'),
                                                    ('/open/logged', '-', '500')])


if __name__ == '__main__':
    unittest.main()
