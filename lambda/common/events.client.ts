import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { EVENT_SOURCE, EventDetail, RETRAINING_ENV } from '../../lib/retraining/contract';
import { requireEnv } from './env';
import { NamedError } from './errors';

/** Puts the platform's events on its bus. */
export class Events {
  constructor(
    private readonly busName: string = requireEnv(RETRAINING_ENV.busName),
    private readonly client: EventBridgeClient = new EventBridgeClient({}),
  ) {}

  /** `detailType` is one of EVENTS. An entry that the bus does not take fails with `EventNotAccepted`: PutEvents itself answers 200 then. */
  public async putEvent<T extends EventDetail>(detailType: string, detail: T): Promise<void> {
    const answer = await this.client.send(
      new PutEventsCommand({
        Entries: [{ EventBusName: this.busName, Source: EVENT_SOURCE, DetailType: detailType, Detail: JSON.stringify(detail) }],
      }),
    );
    if (answer.FailedEntryCount) {
      const [entry] = answer.Entries ?? [];
      throw new NamedError('EventNotAccepted', `bus ${this.busName} did not take '${detailType}': ${entry?.ErrorCode} ${entry?.ErrorMessage}`);
    }
  }
}
