// One run of preparing data in a process of its own: what it took, as JSON. node prepare-job.mjs ENGINE DIRECTORY OPTIONS
import { appendFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { DiskBucket } from '../monitoring/disk-bucket.mjs';

const [, , enginePath, directory, options] = process.argv;
const { files, task, constraints } = JSON.parse(options);
const { DataPreparation, S3Files, NotFound } = createRequire(import.meta.url)(enginePath);

/** Uploads in parts, which are files until they are completed. */
class Bucket extends DiskBucket {
  #uploads = new Map();

  async send(command) {
    const { Bucket, Key, UploadId, Body, PartNumber } = command.input;
    const kind = command.constructor.name.replace(/Command$/, '');
    const file = path.join(this.directory, `upload-${UploadId}`);
    if (kind === 'CreateMultipartUpload') {
      this.#uploads.set(String(this.#uploads.size), { Bucket, Key });
      return { UploadId: String(this.#uploads.size - 1) };
    }
    if (kind === 'UploadPart') {
      this.bytesPut += Body.length;
      appendFileSync(file, Body);
      return { ETag: String(PartNumber) };
    }
    if (kind === 'CompleteMultipartUpload' || kind === 'AbortMultipartUpload') {
      rmSync(file);
      return {};
    }
    return super.send(command);
  }
}

const bucket = new Bucket(directory, (name, status) => new NotFound({ message: name, $metadata: { httpStatusCode: status } }));
for (const { key, size } of files) bucket.adopt(`data/datasets/Bench/${key}`, size);
const settings = {
  ...{ model: 'Bench', task, holdout: { share: 0.2 }, gate: {}, hyperparameters: {}, minimumTrainingRows: 10 },
  training: { image: 'i', entryPoint: 'train.py', instanceType: 'ml.m5.large', codeUri: 'i' },
};
const source = { settings, ...(constraints && { constraints: { file: constraints, source: 'bench' } }) };
const before = process.cpuUsage();
const start = performance.now();
const manifest = await new DataPreparation(new S3Files(bucket), { data: 'data', artifacts: 'artifacts' }, source).prepare(`run-${process.pid}`);
const { user, system } = process.cpuUsage(before);
const result = {
  rows: manifest.rows + manifest.quarantinedRows,
  cpuSeconds: (user + system) / 1e6,
  userSeconds: user / 1e6,
  wallSeconds: (performance.now() - start) / 1000,
  peakMb: process.resourceUsage().maxRSS / 1024,
  bytesPut: bucket.bytesPut,
  dataId: manifest.dataId,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
