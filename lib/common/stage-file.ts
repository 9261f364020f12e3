import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as s3assets from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';

/** A file that is made at synth. */
export interface MadeFile {
  readonly name: string;
  readonly bytes: string | Uint8Array;
  readonly sha256: string;
}

/**
 * Puts a file into the stack's assets. The asset is copied at once, so the file need not stay where it was written; where staging is off, CDK reads
 * it from there later.
 *
 * @internal
 */
export const stageFile = (scope: Construct, id: string, { name, bytes, sha256 }: MadeFile): s3assets.Asset => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mlops-'));
  const file = path.join(directory, name);
  fs.writeFileSync(file, bytes);
  const asset = new s3assets.Asset(scope, id, { path: file, assetHash: sha256 });
  if (!path.isAbsolute(asset.assetPath)) fs.rmSync(directory, { recursive: true });
  return asset;
};
