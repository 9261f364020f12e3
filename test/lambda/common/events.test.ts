import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { Events } from '../../../lambda/common/events.client';

test('an event that the bus did not take is an error, though the call itself succeeded', async () => {
  const client = new EventBridgeClient({ region: 'eu-west-1' });
  const Entries = [{ ErrorCode: 'InternalFailure', ErrorMessage: 'busy' }];
  jest.spyOn(client, 'send').mockImplementation(async () => ({ FailedEntryCount: 1, Entries }));
  const detail = { platform: 'P', model: 'm', occurredAt: '2026-01-01T00:00:00Z' };
  await expect(new Events('bus', client).putEvent('Model Version Registered', detail)).rejects.toMatchObject({
    name: 'EventNotAccepted',
    message: "bus bus did not take 'Model Version Registered': InternalFailure busy",
  });
});
