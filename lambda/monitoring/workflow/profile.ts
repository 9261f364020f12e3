import type { MonitorSpec } from '../../../lib/monitoring/contract';
import type { ShardInput, ShardRef } from '../../../lib/monitoring/workflow/contract';
import type { BaselineClient } from '../baseline.client';
import type { MonitorClient } from '../monitor.client';
import { profileShard } from './content';
import { WindowContexts } from './contexts';
import { windowOf } from './windows';

export interface ProfilePorts {
  readonly spec: MonitorSpec;
  readonly client: MonitorClient;
  readonly baselines: BaselineClient;
}

/** Profiles one shard of a window under the baseline that the plan chose. The same shard again writes the same objects. */
export async function profile({ spec, client, baselines }: ProfilePorts, { window, shard }: ShardInput): Promise<void> {
  const whole = shard.objects === undefined ? await fromManifest(client, window.manifest, shard) : shard;
  const contexts = new WindowContexts(client, baselines, spec, await client.promotions());
  const context = await contexts.of(windowOf(window), whole.version);
  // Where nothing serves there is nothing to count under; the window says so when it is judged.
  if (context !== undefined) await profileShard(client, context, whole);
}

async function fromManifest(client: MonitorClient, manifest: ShardInput['window']['manifest'], { shard, digest }: ShardRef): Promise<ShardRef> {
  const shards = manifest && (await client.json<ShardRef[]>(`s3://${manifest.bucket}/${manifest.key}`));
  const found = shards?.find((each) => each.shard === shard && each.digest === digest);
  if (found === undefined) throw new Error(`the manifest does not hold shard ${shard} (${digest}): the run must be planned anew`);
  return found;
}
