import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { acknowledgeWildcards } from '../common/acknowledge';
import { addEnvironment } from '../common/environment';

/** One bucket with what a grant on it needs. */
export interface BucketAccess {
  readonly bucket: s3.IBucket;
  /** Keys that objects of the bucket are encrypted with. */
  readonly keys: readonly kms.IKey[];
  /** Variable through which run-time code finds the bucket. */
  readonly variable: string;
}

const OBJECTS_REASON = 'Objects are named at run time; the grant ends at the prefix that its caller stated.';

/** Lists and reads objects below a prefix, versions included. */
export const grantBucketRead = (access: BucketAccess, grantee: iam.IGrantable, prefix: string): iam.Grant => {
  const list = iam.Grant.addToPrincipalOrResource({
    grantee,
    actions: ['s3:ListBucket'],
    resourceArns: [access.bucket.bucketArn],
    resource: access.bucket,
    conditions: prefix === '' ? undefined : { StringLike: { 's3:prefix': `${prefix}*` } },
  });
  return list.combine(grantObjects(access, grantee, prefix, ['s3:GetObject', 's3:GetObjectVersion'], ['kms:Decrypt']));
};

/** Writes objects below a prefix, in parts where they are large; neither reads nor deletes any. */
export const grantBucketWrite = (access: BucketAccess, grantee: iam.IGrantable, prefix: string): iam.Grant =>
  // S3 decrypts the parts that it already has when it completes a multipart upload: without kms:Decrypt large objects fail.
  grantObjects(access, grantee, prefix, ['s3:PutObject', 's3:AbortMultipartUpload'], ['kms:GenerateDataKey', 'kms:Decrypt']);

const grantObjects = (access: BucketAccess, grantee: iam.IGrantable, prefix: string, actions: string[], keyActions: string[]): iam.Grant => {
  const resourceArns = [access.bucket.arnForObjects(`${prefix}*`)];
  const objects = iam.Grant.addToPrincipalOrResource({ grantee, actions, resourceArns, resource: access.bucket });
  addEnvironment(grantee, { [access.variable]: access.bucket.bucketName });
  acknowledgeWildcards(grantee, resourceArns, OBJECTS_REASON);
  return access.keys.reduce((grants, key) => grants.combine(key.grant(grantee, ...keyActions)), objects);
};
