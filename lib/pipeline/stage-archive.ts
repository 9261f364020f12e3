import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as s3assets from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { CodeArchive } from './code-archive';

/**
 * Puts code into the stack's assets. The asset is copied at once, so the archive need not stay where it was written; where staging is off, CDK reads
 * it from there later.
 *
 * @internal
 */
export const stageArchive = (scope: Construct, { bytes, sha256 }: CodeArchive): s3assets.Asset => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mlops-code-'));
  const file = path.join(directory, 'sourcedir.tar.gz');
  fs.writeFileSync(file, bytes);
  const asset = new s3assets.Asset(scope, 'Code', { path: file, assetHash: sha256 });
  if (!path.isAbsolute(asset.assetPath)) fs.rmSync(directory, { recursive: true });
  return asset;
};
