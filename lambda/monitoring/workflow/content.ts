import type { ShardRef } from '../../../lib/monitoring/workflow/contract';
import { mapConcurrent } from '../../common/concurrent';
import type { MonitorClient } from '../monitor.client';
import { encodeProfile, decodeProfile } from '../profile';
import { HashSet } from '../profile/hash-set';
import type { IdHash } from '../profile/requests';
import { type AnsweredRow, ScoredEncoder } from '../quality';
import { CaptureStats } from '../readers/capture-stats';
import { mergeParts, type Part, type PartContext, type PartOptions, readPart, watchedFeatures } from './part';
import type { RequestIds } from './request-watch';
import { digestOf, hourOf, rangesOf, type SourceObject } from './sources';

/** Ids of the requests of a part, four words each; both of the caller's are 0 where there is none. */
type IdWords = Int32Array;

interface ReadContent {
  readonly part: Part;
  /** Scored rows; one behind the other they are scored rows too. */
  readonly scored: Uint8Array;
  readonly ids: IdWords;
}

export interface Content {
  readonly part: Part;
  readonly scored: Uint8Array;
}

/** One file, so that two runs that profile a shard at the same time leave what one of them found. */
const SHARD_FILE = 'shard.bin';
/** Shards with requests that other shards hold too are read once more, these at most: beyond, such duplicates count. */
const MOST_REREAD = 16;
const SHARDS_AT_ONCE = 8;

/** Reads objects in the order of their keys, however many they are: the same objects give the same content. */
export async function readContent(
  client: MonitorClient,
  context: PartContext,
  objects: readonly SourceObject[],
  seen?: PartOptions['seen'],
): Promise<ReadContent> {
  const read = async (members: readonly SourceObject[]): Promise<ReadContent> => {
    const encoder = new ScoredEncoder(context.spec.groupColumns);
    const frames: Uint8Array[] = [];
    const ids = new IdWriter();
    const onScored = (row: AnsweredRow): void => {
      const frame = encoder.add(row);
      if (frame !== undefined) frames.push(frame);
    };
    const part = await readPart(client, context, members, { onScored, onIds: ids.add, onObject: ids.endObject, ...(seen && { seen }) });
    return { part, scored: Buffer.concat([...frames, encoder.finish()]), ids: ids.done() };
  };
  const content = await read(objects);
  const { ranges, rejected } = content.part;
  const own = new Set(rangesOf(context.window, ranges).map(({ key }) => key));
  const duplicates = 'duplicate-record' in rejected || 'duplicate-id' in rejected;
  if (own.size === ranges.length || !duplicates) return content;
  // Objects that turned out to hold nothing of the window, which a later run does not read at all, must not count as the first to have an id.
  const again = await read(objects.filter(({ key }) => own.has(key)));
  const foreign = ranges.filter(({ key }) => !own.has(key));
  return { ...again, part: { ...again.part, ranges: [...again.part.ranges, ...foreign].sort((a, b) => (a.key < b.key ? -1 : 1)) } };
}

/** Profiles a shard and leaves what it found for the judging function; a shard that was profiled before is left as it is. */
export async function profileShard(client: MonitorClient, context: PartContext, shard: ShardRef): Promise<void> {
  await shardContent(client, context, shard);
}

/**
 * What all shards hold together: exactly what reading their objects in one go would give. Shards that were not profiled under just this context,
 * since it changed after they were planned, are profiled here.
 */
export async function mergeShards(client: MonitorClient, context: PartContext, shards: readonly ShardRef[]): Promise<Content> {
  const contents = await mapConcurrent(shards, SHARDS_AT_ONCE, (shard) => shardContent(client, context, shard));
  const repeated = repeatedIds(contents.map(({ ids }) => ids));
  const again = [...repeated.entries()].filter(([, { events, inferenceIds }]) => events.length + inferenceIds.length > 0).slice(0, MOST_REREAD);
  for (const [index, seen] of again) contents[index] = await readContent(client, context, objectsOf(shards[index]), seen);
  return { part: contents.map(({ part }) => part).reduce(mergeParts), scored: Buffer.concat(contents.map(({ scored }) => scored)) };
}

async function shardContent(client: MonitorClient, context: PartContext, shard: ShardRef): Promise<ReadContent> {
  const objects = objectsOf(shard);
  const { baseline, constraints, spec, version } = context;
  const digest = digestOf(objects, String(version), baseline.runId, constraints.source, JSON.stringify(spec));
  const uri = client.shardUri(context.window, digest, SHARD_FILE);
  const stored = await client.bytes(uri);
  if (stored !== undefined) return decode(stored, context);
  const content = await readContent(client, context, objects);
  await client.putBytes(uri, encode(content, context));
  return content;
}

/** Length of the head, head, then what it gives the lengths of. */
function encode({ part: { profile, ...rest }, scored, ids }: ReadContent, { baseline }: PartContext): Uint8Array {
  const bytes = [encodeProfile(profile, watchedFeatures(baseline)), new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength), scored];
  const head = Buffer.from(JSON.stringify({ part: rest, lengths: bytes.map(({ length }) => length) } satisfies ShardHead));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return Buffer.concat([length, head, ...bytes]);
}

interface ShardHead {
  readonly part: Omit<Part, 'profile'>;
  readonly lengths: readonly number[];
}

function decode(bytes: Buffer, { baseline }: PartContext): ReadContent {
  let end = 4 + bytes.readUInt32LE(0);
  const { part: rest, lengths } = JSON.parse(bytes.toString('utf8', 4, end)) as ShardHead;
  const [profile, ids, scored] = lengths.map((length) => bytes.subarray(end, (end += length)));
  const stats = new CaptureStats();
  stats.merge(rest.stats);
  return {
    part: { ...rest, stats, smokeRequests: rest.smokeRequests ?? 0, profile: decodeProfile(profile, watchedFeatures(baseline)) },
    scored,
    ids: new Int32Array(Uint8Array.from(ids).buffer),
  };
}

const objectsOf = (shard: ShardRef): SourceObject[] =>
  (shard.objects ?? []).map(({ key, etag, size }) => ({ key, etag, bytes: size, hour: hourOf(key) ?? 0 }));

/** For each part the ids that parts before it hold. */
function repeatedIds(parts: readonly IdWords[]): NonNullable<PartOptions['seen']>[] {
  const events = new HashSet();
  const inferenceIds = new HashSet();
  return parts.map((words) => {
    const repeated: { events: IdHash[]; inferenceIds: IdHash[] } = { events: [], inferenceIds: [] };
    for (let at = 0; at < words.length; at += 4) {
      const isRepeated = events.has(words[at], words[at + 1]);
      if (isRepeated) repeated.events.push([words[at], words[at + 1]]);
      else if (hasId(words, at) && inferenceIds.has(words[at + 2], words[at + 3])) repeated.inferenceIds.push([words[at + 2], words[at + 3]]);
    }
    for (let at = 0; at < words.length; at += 4) {
      // As within a part: of a record that came before the other id is not looked at.
      if (events.add(words[at], words[at + 1]) && hasId(words, at)) inferenceIds.add(words[at + 2], words[at + 3]);
    }
    return repeated;
  });
}

const hasId = (words: IdWords, at: number): boolean => words[at + 2] !== 0 || words[at + 3] !== 0;

class IdWriter {
  private words = new Int32Array(1024);
  private length = 0;
  /** Where the ids of the object begin that is read at the moment. */
  private object = 0;

  /** Ids of objects without rows of the window must not make those of others repeated. */
  public endObject = (isOwn: boolean): void => {
    if (!isOwn) this.length = this.object;
    this.object = this.length;
  };

  public add = ({ event, inferenceId = [0, 0] }: RequestIds): void => {
    if (this.length === this.words.length) {
      const larger = new Int32Array(2 * this.words.length);
      larger.set(this.words);
      this.words = larger;
    }
    this.words.set(event, this.length);
    this.words.set(inferenceId, this.length + 2);
    this.length += 4;
  };

  public done(): IdWords {
    return this.words.slice(0, this.length);
  }
}
