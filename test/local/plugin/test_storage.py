"""DynamoDB, its streams, KMS and Object Lock within the limits and permissions of AWS."""

import base64
import datetime
import hashlib
import json
import unittest

from botocore.exceptions import ClientError
from harness import ACCOUNT, REGION, EngineTest, wait_until

KILOBYTE = 1024
READ_STREAMS = (['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'], '*')


class StorageTest(EngineTest):
    @classmethod
    def table(cls, name, stream=False):
        dynamodb = cls.client('dynamodb')
        options = {'StreamSpecification': {'StreamEnabled': True, 'StreamViewType': 'NEW_AND_OLD_IMAGES'}} if stream else {}
        made = dynamodb.create_table(
            TableName=name, BillingMode='PAY_PER_REQUEST', KeySchema=[{'AttributeName': 'pk', 'KeyType': 'HASH'}, {'AttributeName': 'sk', 'KeyType': 'RANGE'}],
            AttributeDefinitions=[{'AttributeName': 'pk', 'AttributeType': 'S'}, {'AttributeName': 'sk', 'AttributeType': 'S'}], **options)
        return made['TableDescription']

    def refused(self, call, **params):
        with self.assertRaises(ClientError) as caught:
            call(**params)
        return caught.exception.response

    @staticmethod
    def put(table, pk, sk, size=0, **more):
        return {'Put': {'TableName': table, 'Item': {'pk': {'S': pk}, 'sk': {'S': sk}, 'v': {'B': b'x' * size}}, **more}}

    def keys(self, name, statements):
        status, keys = self.door('POST', 'session', {'roleArn': self.role(name, statements, 'lambda.amazonaws.com'), 'service': 'lambda.amazonaws.com'})
        self.assertEqual(status, 200, keys)
        return keys

    def test_transactions_have_at_most_100_items_and_4_megabytes(self):
        self.table('transactions')
        dynamodb = self.client('dynamodb')
        dynamodb.transact_write_items(TransactItems=[self.put('transactions', 'p', str(n)) for n in range(100)])
        many = self.refused(dynamodb.transact_write_items, TransactItems=[self.put('transactions', 'p', str(n)) for n in range(101)])
        self.assertEqual(many['Error']['Code'], 'ValidationException')
        twice = self.refused(dynamodb.transact_write_items, TransactItems=[self.put('transactions', 'p', '1'), self.put('transactions', 'p', '1')])
        self.assertIn('cannot include multiple operations on one item', twice['Error']['Message'])
        dynamodb.transact_write_items(TransactItems=[self.put('transactions', 'q', str(n), 390 * KILOBYTE) for n in range(10)])
        big = self.refused(dynamodb.transact_write_items, TransactItems=[self.put('transactions', 'r', str(n), 390 * KILOBYTE) for n in range(11)])
        self.assertEqual(big['Error']['Code'], 'ValidationException')
        self.assertEqual(dynamodb.query(TableName='transactions', KeyConditionExpression='pk = :p', ExpressionAttributeValues={':p': {'S': 'r'}})['Count'], 0)

    def test_an_item_has_at_most_400_kilobytes(self):
        self.table('items')
        dynamodb = self.client('dynamodb')
        item = {'pk': {'S': 'p'}, 'sk': {'S': 's'}, 'v': {'B': b'x' * (401 * KILOBYTE)}}
        self.assertIn('Item size', self.refused(dynamodb.put_item, TableName='items', Item=item)['Error']['Message'])
        written = self.refused(dynamodb.transact_write_items, TransactItems=[self.put('items', 'p', 's', 401 * KILOBYTE)])
        self.assertIn(written['Error']['Code'], ('ValidationException', 'TransactionCanceledException'))
        dynamodb.put_item(TableName='items', Item={**item, 'v': {'B': b'x' * (300 * KILOBYTE)}})
        grown = self.refused(dynamodb.update_item, TableName='items', Key={'pk': item['pk'], 'sk': item['sk']}, UpdateExpression='SET w = :w',
                             ExpressionAttributeValues={':w': {'B': b'x' * (150 * KILOBYTE)}})
        self.assertEqual(grown['Error']['Code'], 'ValidationException')

    def test_a_page_of_a_query_ends_after_1_megabyte(self):
        self.table('pages')
        dynamodb = self.client('dynamodb')
        for n in range(8):
            dynamodb.put_item(TableName='pages', Item={'pk': {'S': 'p'}, 'sk': {'S': str(n)}, 'v': {'B': b'x' * (200 * KILOBYTE)}})
        ask = {'TableName': 'pages', 'KeyConditionExpression': 'pk = :p', 'ExpressionAttributeValues': {':p': {'S': 'p'}}}
        pages, start = [], {}
        while True:
            page = dynamodb.query(**ask, **start)
            pages.append(page['Count'])
            if 'LastEvaluatedKey' not in page:
                break
            start = {'ExclusiveStartKey': page['LastEvaluatedKey']}
        self.assertEqual(sum(pages), 8)
        self.assertEqual(pages[0], 5)
        projected = dynamodb.query(**ask, ProjectionExpression='sk')
        self.assertIn('LastEvaluatedKey', projected)
        batch = dynamodb.batch_get_item(RequestItems={'pages': {'Keys': [{'pk': {'S': 'p'}, 'sk': {'S': str(n)}} for n in range(8)]}})
        self.assertEqual(len(batch['Responses']['pages']), 8)

    def test_a_stream_reaches_a_function_filtered_and_a_failed_record_comes_again(self):
        arn = self.table('streamed', stream=True)['LatestStreamArn']
        source = '''
        const seen = [];
        exports.handler = async (event) => {
          if (event.report) return seen;
          const failed = [];
          for (const { dynamodb, eventID, eventName } of event.Records) {
            const sk = dynamodb.Keys.sk.S;
            seen.push(sk);
            if (sk === 'throws') throw new Error('no');
            if (sk === 'never' || (sk === 'twice' && seen.filter((one) => one === sk).length < 2)) {
              failed.push({ itemIdentifier: dynamodb.SequenceNumber });
              break;
            }
          }
          return { batchItemFailures: failed };
        };'''
        queue = self.client('sqs').create_queue(QueueName='lost')['QueueUrl']
        target = f'arn:aws:sqs:{REGION}:{ACCOUNT}:lost'
        role = self.role('follower-role', [('logs:*', '*'), ('sqs:SendMessage', target), READ_STREAMS], 'lambda.amazonaws.com')
        self.function('follower', source, role)
        self.client('lambda').create_event_source_mapping(
            FunctionName='follower', EventSourceArn=arn, StartingPosition='TRIM_HORIZON', BatchSize=10, FunctionResponseTypes=['ReportBatchItemFailures'],
            MaximumRetryAttempts=2, BisectBatchOnFunctionError=True, DestinationConfig={'OnFailure': {'Destination': target}},
            FilterCriteria={'Filters': [{'Pattern': json.dumps({'dynamodb': {'Keys': {'pk': {'S': [{'prefix': 'wanted'}]}}}})}]})
        dynamodb = self.client('dynamodb')
        rows = (('wanted-1', 'first'), ('other', 'unwanted'), ('wanted-2', 'twice'), ('wanted-2', 'never'), ('wanted-3', 'throws'), ('wanted-3', 'last'))
        for pk, sk in rows:
            dynamodb.put_item(TableName='streamed', Item={'pk': {'S': pk}, 'sk': {'S': sk}})

        def seen():
            answer = self.client('lambda').invoke(FunctionName='follower', Payload=b'{"report": true}')
            found = json.loads(answer['Payload'].read())
            return found if isinstance(found, list) and 'last' in found else None

        found = wait_until(seen, 30, 0.5)
        self.assertEqual((found.count('twice'), found.count('unwanted')), (2, 0), found)
        self.assertEqual(found[-1], 'last')
        self.assertEqual(found[0], 'first')
        lost = self.messages(queue, 2)
        self.assertEqual({(one['requestContext']['condition'], one['DDBStreamBatchInfo']['batchSize']) for one in lost}, {('RetryAttemptsExhausted', 1)})

    def test_a_function_that_may_not_read_the_stream_gets_nothing(self):
        arn = self.table('unread', stream=True)['LatestStreamArn']
        self.function('outsider', 'exports.handler = async () => ({});')
        made = self.client('lambda').create_event_source_mapping(FunctionName='outsider', EventSourceArn=arn, StartingPosition='TRIM_HORIZON')
        self.client('dynamodb').put_item(TableName='unread', Item={'pk': {'S': 'p'}, 'sk': {'S': 's'}})
        wait_until(lambda: 'not authorized' in self.client('lambda').get_event_source_mapping(UUID=made['UUID'])['LastProcessingResult'])

    def test_signing_needs_the_permission_on_that_key(self):
        kms = self.client('kms')
        made = kms.create_key(KeySpec='ECC_NIST_P256', KeyUsage='SIGN_VERIFY')['KeyMetadata']
        other = kms.create_key(KeySpec='ECC_NIST_P256', KeyUsage='SIGN_VERIFY')['KeyMetadata']
        ask = {'Message': hashlib.sha256(b'a').digest(), 'MessageType': 'DIGEST', 'SigningAlgorithm': 'ECDSA_SHA_256'}
        signer = self.client('kms', self.keys('signer', [(['kms:Sign', 'kms:GetPublicKey'], made['Arn'])]))
        self.assertEqual(signer.sign(KeyId=made['Arn'], **ask)['Signature'][0], 0x30)
        self.assertEqual(signer.get_public_key(KeyId=made['KeyId'])['KeySpec'], 'ECC_NIST_P256')
        nobody = self.client('kms', self.keys('no-signer', [('kms:Verify', '*')]))
        for refused in (self.refused(signer.sign, KeyId=other['Arn'], **ask), self.refused(signer.get_public_key, KeyId=other['KeyId']),
                        self.refused(nobody.sign, KeyId=made['Arn'], **ask), self.refused(nobody.get_public_key, KeyId=made['Arn'])):
            self.assertEqual(refused['Error']['Code'], 'AccessDeniedException')
        self.assertIn('Digest', self.refused(kms.sign, KeyId=made['Arn'], **{**ask, 'Message': b'short'})['Error']['Message'])

    def test_locked_objects_cannot_be_removed_before_their_time(self):
        formation, s3 = self.client('cloudformation'), self.client('s3')
        formation.create_stack(StackName='locked', TemplateBody=json.dumps({'Resources': {'Bucket': {'Type': 'AWS::S3::Bucket', 'Properties': {
            'BucketName': 'locked-history', 'ObjectLockEnabled': True, 'ObjectLockConfiguration': {
                'ObjectLockEnabled': 'Enabled', 'Rule': {'DefaultRetention': {'Mode': 'COMPLIANCE', 'Days': 1}}}}}}}))
        wait_until(lambda: formation.describe_stacks(StackName='locked')['Stacks'][0]['StackStatus'] == 'CREATE_COMPLETE')
        checksum = base64.b64encode(hashlib.md5(b'1').digest()).decode()
        version = s3.put_object(Bucket='locked-history', Key='entry', Body=b'1', ContentMD5=checksum)['VersionId']
        held = s3.get_object_retention(Bucket='locked-history', Key='entry')['Retention']
        self.assertEqual(held['Mode'], 'COMPLIANCE')
        self.assertGreater(held['RetainUntilDate'], datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=23))
        for bypass in ({}, {'BypassGovernanceRetention': True}):
            refused = self.refused(s3.delete_object, Bucket='locked-history', Key='entry', VersionId=version, **bypass)
            self.assertEqual(refused['Error']['Code'], 'AccessDenied')
        s3.put_object(Bucket='locked-history', Key='entry', Body=b'2')
        s3.delete_object(Bucket='locked-history', Key='entry')
        self.assertEqual(s3.get_object(Bucket='locked-history', Key='entry', VersionId=version)['Body'].read(), b'1')
        shorter = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=1)
        refused = self.refused(s3.put_object_retention, Bucket='locked-history', Key='entry', VersionId=version,
                               Retention={'Mode': 'COMPLIANCE', 'RetainUntilDate': shorter})
        self.assertEqual(refused['Error']['Code'], 'AccessDenied')


if __name__ == '__main__':
    unittest.main()
