import { setTimeout as sleep } from 'node:timers/promises';
import { type DecisionRecord, REQUEST_TEXT, type RetrainRequestedDetail } from '../../lib/retraining/contract';
import type { Platform } from '../platform';
import { prove } from '../prove';
import { callerOf } from './caller';
import { sendRequest } from './send-request';

export const WAIT_MILLISECONDS = 30_000;
const POLL_MILLISECONDS = 300;

export interface Asked {
  readonly request: RetrainRequestedDetail;
  /** Absent where nobody waited for it, or it did not come in time. */
  readonly decision?: DecisionRecord;
}

/** Asks the governor for a run in the name of the caller, and waits for what it decides. */
export const askForRun = async (
  platform: Platform,
  model: string,
  { wait, ...about }: Pick<RetrainRequestedDetail, 'reason' | 'occurredAt' | 'overrides'> & { readonly wait: boolean },
): Promise<Asked> => {
  const requestedBy = await callerOf(platform.connection);
  const since = new Date(Date.now() - 60_000).toISOString();
  const known = new Set((await recent(platform, model, since)).map(({ at, cause }) => `${at} ${cause.causeId}`));
  const asked = { ...about, requestedBy };
  const proof = await prove(platform.connection, REQUEST_TEXT({ platform: platform.name, model, ...asked }));
  await sendRequest(platform, model, { ...asked, proof });
  const request: RetrainRequestedDetail = { platform: platform.name, model, ...asked };
  return { request, decision: wait ? await decisionOn(platform, request, since, known) : undefined };
};

const recent = async (platform: Platform, model: string, since: string): Promise<DecisionRecord[]> =>
  (await platform.governor.listDecisions(model, { limit: 25, newestFirst: true })).filter(({ at }) => at >= since);

async function decisionOn(
  platform: Platform,
  detail: RetrainRequestedDetail,
  since: string,
  known: ReadonlySet<string>,
): Promise<DecisionRecord | undefined> {
  const deadline = Date.now() + WAIT_MILLISECONDS;
  while (Date.now() < deadline) {
    const found = (await recent(platform, detail.model, since)).find(
      ({ at, cause }) => cause.kind === 'manual' && cause.key === detail.requestedBy && !known.has(`${at} ${cause.causeId}`),
    );
    if (found) return found;
    await sleep(POLL_MILLISECONDS);
  }
  return undefined;
}
