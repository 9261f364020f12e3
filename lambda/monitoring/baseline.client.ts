import { S3Files } from '../common/s3.client';
import { parseBaseline } from './baseline/schema';
import type { TableSource } from './baseline/table';
import type { Baseline, BaselineBlocks } from './baseline/types';
import { objectsAt } from './objects-at';
import { decodeBlocks, encodeBlocks } from './profile/blocks';
import type { Chunks } from './rows';

/** The object with the blocks lies beside the baseline. */
const blocksUriOf = (baselineUri: string): string => baselineUri.replace(/[^/]*$/, 'blocks.bin');

/** Baselines, and the tables that they are made from. */
export class BaselineClient {
  constructor(private readonly files: S3Files = new S3Files()) {}

  /** Parts of a table: an object, or those below a prefix in the order of their keys. Each reading begins anew. */
  public async table(uri: string): Promise<TableSource> {
    const objects = await objectsAt(this.files, uri);
    return () => objects.map((object) => ({ where: object, chunks: this.chunks(object) }));
  }

  public async baseline(uri: string): Promise<Baseline> {
    return parseBaseline(await this.files.readJson(uri), uri);
  }

  public async blocks(baselineUri: string): Promise<BaselineBlocks> {
    return decodeBlocks(await this.files.readBytes(blocksUriOf(baselineUri)));
  }

  /** The blocks first: where the baseline stands, they do. */
  public async put(uri: string, baseline: Baseline, blocks: BaselineBlocks): Promise<void> {
    await this.files.put(blocksUriOf(uri), encodeBlocks(blocks));
    await this.files.putJson(uri, baseline);
  }

  private async *chunks(uri: string): Chunks {
    yield* (await this.files.readStream(uri)) as AsyncIterable<Uint8Array>;
  }
}
