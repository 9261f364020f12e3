"""STS answers only for those who have signed: approvals rest on what it says about a signature that somebody else presents."""

import unittest
import urllib.error
import urllib.request

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from harness import REGION, EngineTest

BODY = b'Action=GetCallerIdentity&Version=2011-06-15'


class StsTest(EngineTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        role = cls.role('person', (), 'lambda.amazonaws.com')
        keys = cls.door('POST', 'session', {'roleArn': role, 'service': 'lambda.amazonaws.com'})[1]
        cls.callers = {'person': keys, 'root': {'AccessKeyId': 'test', 'SecretAccessKey': 'test', 'SessionToken': None}}

    def sent(self, url, headers=None, data=None):
        request = urllib.request.Request(url, headers=headers or {}, data=data)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def presigned(self, keys):
        sts = boto3.client('sts', endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id=keys['AccessKeyId'],
                           aws_secret_access_key=keys['SecretAccessKey'], aws_session_token=keys['SessionToken'])
        return sts.generate_presigned_url('get_caller_identity', ExpiresIn=60, HttpMethod='GET')

    def signed(self, keys, digest):
        request = AWSRequest('POST', f'{self.endpoint}/', headers={'content-type': 'application/x-www-form-urlencoded', 'x-digest': digest}, data=BODY)
        SigV4Auth(Credentials(keys['AccessKeyId'], keys['SecretAccessKey'], keys['SessionToken']), 'sts', REGION).add_auth(request)
        return dict(request.headers.items())

    def test_presigned_requests_hold_for_their_signer_alone(self):
        for name, keys in self.callers.items():
            with self.subTest(name):
                url = self.presigned(keys)
                status, text = self.sent(url)
                self.assertEqual(status, 200, text)
                self.assertIn('assumed-role/person/' if name == 'person' else ':root', text)
                self.assertEqual(self.sent(url.replace('Expires=60', 'Expires=600'))[0], 403)
                self.assertEqual(self.sent(f'{url}&Extra=1')[0], 403)
                self.assertEqual(self.sent(self.presigned({**keys, 'SecretAccessKey': 'guessed'}))[0], 403)

    def test_signed_headers_cannot_be_changed_by_whoever_passes_them_on(self):
        for name, keys in self.callers.items():
            with self.subTest(name):
                headers = self.signed(keys, 'approve version 7')
                self.assertEqual(self.sent(f'{self.endpoint}/', headers, BODY)[0], 200)
                self.assertEqual(self.sent(f'{self.endpoint}/', {**headers, 'x-digest': 'approve version 8'}, BODY)[0], 403)
                late = {**headers, 'X-Amz-Date': '20200101T000000Z'}
                self.assertEqual(self.sent(f'{self.endpoint}/', late, BODY)[0], 403)
                self.assertEqual(self.sent(f'{self.endpoint}/', self.signed({**keys, 'SecretAccessKey': 'guessed'}, 'x'), BODY)[0], 403)


if __name__ == '__main__':
    unittest.main()
