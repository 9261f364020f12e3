import { mkdir, readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { downloadAll, joinUri, listKeys, locationOf, relativeName, upload } from './storage';

const SYNC_MILLISECONDS = 500;

/** Keeps a directory of a job and an S3 prefix the same: fetched where the job goes on, sent while it runs and once more at its end. */
export class DirectorySync {
  /** When the first file has been sent. */
  readonly first: Promise<void>;
  private readonly sent = new Map<string, string>();
  private tellFirst: () => void = () => undefined;
  private timer?: NodeJS.Timeout;
  private work: Promise<void> = Promise.resolve();
  private failure?: unknown;

  constructor(
    private readonly s3: S3Client,
    private readonly uri: string,
    readonly directory: string,
    private readonly kmsKeyId?: string,
  ) {
    this.first = new Promise((resolve) => {
      this.tellFirst = resolve;
    });
  }

  async fetch(): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    const { bucket, key } = locationOf(this.uri);
    const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
    const keys = await listKeys(this.s3, bucket, prefix);
    await downloadAll(this.s3, bucket, new Map(keys.map((name) => [name, relativeName(name, prefix)])), this.directory);
    for (const { name, print } of await this.files()) this.sent.set(name, print);
  }

  start(): void {
    this.timer = setInterval(() => this.sync(), SYNC_MILLISECONDS);
  }

  /** Throws what kept a checkpoint from being written. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.sync();
    await this.work;
    if (this.failure) throw this.failure;
  }

  private sync(): void {
    this.work = this.work
      .then(() => this.send())
      .then(() => {
        this.failure = undefined;
      })
      .catch((error: unknown) => {
        this.failure = error;
      });
  }

  private async send(): Promise<void> {
    for (const { name, print } of await this.files()) {
      if (this.sent.get(name) === print) continue;
      const body = await readFile(path.join(this.directory, name)).catch(() => undefined);
      // Scripts write under another name and rename: what is gone by now comes back under its final name.
      if (!body) continue;
      await upload(this.s3, joinUri(this.uri, name), body, this.kmsKeyId);
      this.sent.set(name, print);
      this.tellFirst();
    }
  }

  private async files(): Promise<Array<{ name: string; print: string }>> {
    const entries = await readdir(this.directory, { recursive: true, withFileTypes: true });
    const found: Array<{ name: string; print: string }> = [];
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath, entry.name);
      const about = await stat(file).catch(() => undefined);
      if (about) found.push({ name: path.relative(this.directory, file), print: `${about.size}:${about.mtimeMs}` });
    }
    return found;
  }
}
