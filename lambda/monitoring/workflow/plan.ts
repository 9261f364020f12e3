import type { MonitorSpec } from '../../../lib/monitoring/contract';
import type { PlanAnswer, PlanInput, PlannedWindow, ShardRef, WindowMode } from '../../../lib/monitoring/workflow/contract';
import { MONITOR_LIMITS } from '../../../lib/monitoring/workflow/contract';
import { mapConcurrent } from '../../common/concurrent';
import { recorded } from '../../registry/recorded';
import type { BaselineClient } from '../baseline.client';
import type { MonitorClient, Promotion } from '../monitor.client';
import { FILES, type WindowMemory } from './files';
import { scanRanges } from './part';
import { isQualityDue, windowBefore } from './quality';
import { captureHours, digestOf, type Hours, isAmong, KnownRanges, labelHours, type ReadRange, type SourceObject } from './sources';
import { servingVersion } from './versions';
import { requestedWindows, type Window } from './windows';

export interface PlanPorts {
  readonly spec: MonitorSpec;
  readonly client: MonitorClient;
  readonly baselines: BaselineClient;
  readonly now: () => number;
  readonly limits?: { readonly smallBytes: number; readonly shardBytes: number; readonly inlineShards: number };
}

/** A window with everything that is known of it before it is read. */
interface Candidate {
  readonly window: Window;
  readonly wanted: readonly SourceObject[];
  readonly labels: readonly SourceObject[];
  readonly version?: number;
  readonly known: KnownRanges;
  readonly memory?: WindowMemory;
  /** Digest of quality and groups that the window takes over from the one before it. */
  readonly takenOver?: string;
}

/**
 * Finds the windows to judge and how. A window whose objects are those that its result was made from is left out; where one changed, the later ones
 * of the run are judged anew too, since their episodes go on from it.
 */
export async function plan(ports: PlanPorts, { request }: PlanInput): Promise<PlanAnswer> {
  const { spec, client } = ports;
  const { windows, force, onDemand } = requestedWindows(request, spec, ports.now());
  const promotions = await client.promotions();
  // Before anything served there is nothing to watch; whoever names a time gets an answer even so.
  const watched = windows.filter(({ end }) => onDemand || (promotions.length > 0 && end > promotions[0].at));
  if (watched.length === 0) return { windows: [], unchanged: 0 };
  const captures = await client.captures(spec, spanOf(watched.map((window) => captureHours(spec, window))));
  const labels = await client.labels(spanOf(watched.map((window) => labelHours(spec, window))));
  const known = await knownRanges(client, spec, watched);
  const memories = await mapConcurrent(watched, 8, (window) => client.json<WindowMemory>(client.windowUri(window, FILES.memory)));
  const before = await mapConcurrent(watched, 8, async (window) =>
    isQualityDue(spec, window) ? undefined : client.json<WindowMemory>(client.windowUri(windowBefore(spec, window), FILES.memory)),
  );
  // Without it every new object would be of every window, and each judged anew.
  if (!force && memories.some((memory) => memory !== undefined)) known.add(await scanned(ports, promotions, known.missing(captures)));
  const planned: PlannedWindow[] = [];
  let unchanged = 0;
  for (const [index, window] of watched.entries()) {
    const candidate = candidateOf(spec, window, { captures, labels, promotions, known }, memories[index], before[index]);
    const labelsCount = onDemand || window === watched[watched.length - 1];
    if (!force && planned.length === 0 && isUnchanged(candidate, labelsCount)) unchanged += 1;
    else planned.push(await planWindow(ports, candidate));
  }
  return { windows: planned, unchanged };
}

interface Listed {
  readonly captures: readonly SourceObject[];
  readonly labels: readonly SourceObject[];
  readonly promotions: readonly Promotion[];
  readonly known: KnownRanges;
}

function candidateOf(spec: MonitorSpec, window: Window, listed: Listed, memory?: WindowMemory, before?: WindowMemory): Candidate {
  const { known } = listed;
  const captures = listed.captures.filter((object) => isAmong(captureHours(spec, window), object));
  const version = servingVersion(listed.promotions, window, known.rangesOf(captures));
  const takenOver = before?.version === version ? before?.labelled : undefined;
  return {
    window,
    known,
    wanted: known.wanted(window, captures),
    labels: listed.labels.filter((object) => isAmong(labelHours(spec, window), object)),
    version,
    ...(memory && { memory }),
    ...(takenOver !== undefined && { takenOver }),
  };
}

/** Windows before and after, whose runs looked at the same objects. */
const NEIGHBOURS = 2;

/** What the runs of these windows, in a row, and those around them found out about objects. */
export async function knownRanges(client: MonitorClient, spec: MonitorSpec, windows: readonly Window[]): Promise<KnownRanges> {
  const known = new KnownRanges();
  const length = spec.windowSeconds * 1000;
  const from = windows[0].end - NEIGHBOURS * length;
  const files = await client.windowFiles(FILES.objects, from - 1, windows[windows.length - 1].end + NEIGHBOURS * length);
  for (const ranges of await mapConcurrent(files, 4, ({ uri }) => client.json<ReadRange[]>(uri))) known.add(ranges ?? []);
  return known;
}

/** More bytes that nobody has looked at are not looked through to find the windows that they belong to. */
const MOST_SCANNED = 64 * 1024 * 1024;

/** Event times of new objects, so that only windows that they belong to are judged anew. */
async function scanned(ports: PlanPorts, promotions: readonly Promotion[], objects: readonly SourceObject[]): Promise<ReadRange[]> {
  const { spec, client, baselines } = ports;
  const version = promotions.at(-1)?.version;
  if (version === undefined || objects.length === 0 || objects.reduce((sum, { bytes }) => sum + bytes, 0) > MOST_SCANNED) return [];
  const { columns } = await baselines.baseline(recorded(await client.version(version)).baselineUri);
  return scanRanges(client, spec, columns, objects);
}

function isUnchanged({ wanted, labels, version, known, memory, takenOver }: Candidate, labelsCount: boolean): boolean {
  return (
    memory !== undefined &&
    memory.version === version &&
    memory.takenOver === takenOver &&
    wanted.every((object) => known.of(object) !== undefined) &&
    memory.captures === digestOf(wanted) &&
    (!labelsCount || memory.labels === digestOf(labels))
  );
}

async function planWindow({ client, limits = MONITOR_LIMITS }: PlanPorts, { window, wanted, labels, version }: Candidate): Promise<PlannedWindow> {
  const base = {
    windowStart: new Date(window.start).toISOString(),
    windowEnd: new Date(window.end).toISOString(),
    sources: digestOf([...wanted, ...labels], String(version)),
  };
  if (wanted.reduce((sum, { bytes }) => sum + bytes, 0) <= limits.smallBytes) return { ...base, mode: 'small' };
  const shards = shardsOf(wanted, limits.shardBytes, version);
  const mode: WindowMode = shards.length <= limits.inlineShards ? 'map' : 'distributed';
  const manifest = client.manifestPlace(window, base.sources);
  await client.putJson(`s3://${manifest.bucket}/${manifest.key}`, shards);
  return { ...base, mode, manifest, ...(mode === 'map' && { shards: shards.map(({ shard, digest }) => ({ shard, digest })) }) };
}

/** Objects in the order of their keys, as many together as a shard takes: what comes later changes the last shard alone. */
export function shardsOf(objects: readonly SourceObject[], shardBytes: number, version?: number): ShardRef[] {
  const shards: SourceObject[][] = [];
  let bytes = Infinity;
  for (const object of objects) {
    if (bytes + object.bytes > shardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards[shards.length - 1].push(object);
    bytes += object.bytes;
  }
  return shards.map((members, shard) => ({
    shard,
    digest: digestOf(members, String(version)).slice(0, 16),
    ...(version !== undefined && { version }),
    objects: members.map(({ key, etag, bytes: size }) => ({ key, etag, size })),
  }));
}

const spanOf = (hours: readonly Hours[]): Hours => ({
  from: Math.min(...hours.map(({ from }) => from)),
  to: Math.max(...hours.map(({ to }) => to)),
});
