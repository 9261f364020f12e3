import * as s3assets from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { stageFile } from '../common/stage-file';
import { CodeArchive } from './code-archive';

/**
 * Puts code into the stack's assets.
 *
 * @internal
 */
export const stageArchive = (scope: Construct, { bytes, sha256 }: CodeArchive): s3assets.Asset =>
  stageFile(scope, 'Code', { name: 'sourcedir.tar.gz', bytes, sha256 });
