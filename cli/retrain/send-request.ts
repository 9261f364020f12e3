import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { Events } from '../../lambda/common/events.client';
import { EVENTS, type RetrainRequestedDetail } from '../../lib/retraining/contract';
import type { Platform } from '../platform';

/** Asks the governor for a retraining; answers the event as it was put on the bus. */
export const sendRequest = async (
  platform: Platform,
  model: string,
  request: Omit<RetrainRequestedDetail, 'platform' | 'model'>,
): Promise<RetrainRequestedDetail> => {
  const detail: RetrainRequestedDetail = { platform: platform.name, model, ...request };
  await new Events(platform.resources.busName, new EventBridgeClient(platform.connection)).putEvent(EVENTS.retrainRequested, detail);
  return detail;
};
