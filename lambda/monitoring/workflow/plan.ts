import type { MonitorSpec } from '../../../lib/monitoring/contract';
import type { PlanAnswer, PlanInput, PlannedWindow, ShardRef, WindowMode } from '../../../lib/monitoring/workflow/contract';
import { MONITOR_LIMITS } from '../../../lib/monitoring/workflow/contract';
import type { MonitorClient, Promotion } from '../monitor.client';
import { FILES, type WindowMemory } from './files';
import { captureHours, digestOf, type Hours, isAmong, KnownRanges, labelHours, type ReadRange, type SourceObject } from './sources';
import { servingVersion } from './versions';
import { requestedWindows, type Window } from './windows';

export interface PlanPorts {
  readonly spec: MonitorSpec;
  readonly client: MonitorClient;
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
}

/**
 * Finds the windows to judge and how. A window whose objects are those that its result was made from is left out; where one changed, the later ones of
 * the run are judged anew too, since their episodes go on from it.
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
  const planned: PlannedWindow[] = [];
  let unchanged = 0;
  for (const window of watched) {
    const candidate = await candidateOf(ports, window, { captures, labels, promotions });
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
}

async function candidateOf({ spec, client }: PlanPorts, window: Window, listed: Listed): Promise<Candidate> {
  const known = await knownRanges(client, spec, window);
  const memory = await client.json<WindowMemory>(client.windowUri(window, FILES.memory));
  const captures = listed.captures.filter((object) => isAmong(captureHours(spec, window), object));
  return {
    window,
    known,
    wanted: known.wanted(window, captures),
    labels: listed.labels.filter((object) => isAmong(labelHours(spec, window), object)),
    version: servingVersion(listed.promotions, window, known.rangesOf(captures)),
    ...(memory && { memory }),
  };
}

/** What the runs of this window and the ones before it found out about objects. */
export async function knownRanges(client: MonitorClient, spec: MonitorSpec, window: Window): Promise<KnownRanges> {
  const known = new KnownRanges();
  const length = spec.windowSeconds * 1000;
  for (const earlier of [2, 1, 0].map((back) => ({ start: window.start - back * length, end: window.end - back * length }))) {
    known.add((await client.json<ReadRange[]>(client.windowUri(earlier, FILES.objects))) ?? []);
  }
  return known;
}

function isUnchanged({ wanted, labels, version, known, memory }: Candidate, labelsCount: boolean): boolean {
  return (
    memory !== undefined &&
    memory.version === version &&
    wanted.every((object) => known.of(object) !== undefined) &&
    memory.captures === digestOf(wanted) &&
    (!labelsCount || memory.labels === digestOf(labels))
  );
}

async function planWindow({ client, limits = MONITOR_LIMITS }: PlanPorts, { window, wanted, labels, version }: Candidate): Promise<PlannedWindow> {
  const base = {
    windowStart: new Date(window.start).toISOString(),
    windowEnd: new Date(window.end).toISOString(),
    sources: digestOf([...wanted, ...labels]),
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
