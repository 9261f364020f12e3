import { causeEvent, isCause, toCause } from '../../../lambda/retraining/causes';
import { EVENTS, EVENT_SOURCE } from '../../../lib/retraining/contract';

const now = new Date('2026-03-01T12:00:00Z');
const address = { platform: 'mlops', model: 'BikeDemand', occurredAt: '2012-04-01T00:00:00.000Z' };
const window = { version: 1, windowStart: '2012-03-18T00:00:00Z', windowEnd: '2012-04-01T00:00:00Z', evidenceUri: 's3://reports/result.json' };
const event = (type: string, detail: object) => ({ id: 'x', account: '111122223333', source: EVENT_SOURCE, 'detail-type': type, detail });
const quality = event(EVENTS.qualityDegraded, { ...address, ...window, metric: 'rmse', value: 113.123456789, bound: 100 });
const drift = event(EVENTS.driftDetected, { ...address, ...window, features: ['temp', 'hum'] });
const gap = event(EVENTS.groupGapDetected, {
  ...address,
  ...window,
  ...{ column: 'holiday', metric: 'rmse', value: 31.25, bound: 20, between: ['0', '1'] },
});
const requested = event(EVENTS.retrainRequested, { ...address, reason: 'new stations', requestedBy: 'ann' });
const scheduled = event(EVENTS.retrainScheduled, { ...address, schedule: 'rate(7 days)' });

test.each([
  ['quality', quality, { kind: 'quality', key: 'rmse', summary: /^rmse 113.1 of version 1 is worse than 100 \(.* to .*\)$/, evidenceUri: 's3://reports/result.json' }],
  ['drift', drift, { kind: 'drift', key: 'drift', summary: /^temp, hum drifted under version 1 \(.* to .*\)$/ }],
  ['a gap', gap, { kind: 'groups', key: 'holiday:rmse', summary: /^rmse 31.25 between groups of holiday \(0, 1\) .* is worse than 20 / }],
  ['a request', requested, { kind: 'manual', key: 'ann', summary: /^requested by ann: new stations$/ }],
  ['a schedule', scheduled, { kind: 'schedule', key: 'rate(7 days)', summary: /^due by its schedule/ }],
])('an event of %s becomes a cause that says what happened', (_, sent, { summary, ...expected }) => {
  const cause = toCause(causeEvent.parse(sent), now);
  expect(cause).toMatchObject({ ...expected, occurredAt: address.occurredAt });
  expect(cause.summary).toMatch(summary);
});

test('the same fact has the same id however often and in whatever notation of time it is sent; another fact has another', () => {
  const again = { ...quality, id: 'y', detail: { ...quality.detail, occurredAt: '2012-04-01T02:00:00+02:00', value: 200 } };
  const id = (sent: object) => toCause(causeEvent.parse(sent), now).causeId;
  expect(id(again)).toBe(id(quality));
  expect(new Set([quality, drift, gap, requested, scheduled].map(id)).size).toBe(5);
});

test('a cause in the future is taken as of now, under an id that a later delivery shares', () => {
  const early = { ...requested, detail: { ...requested.detail, occurredAt: '2030-01-01T00:00:00Z' } };
  const first = toCause(causeEvent.parse(early), now);
  const second = toCause(causeEvent.parse(early), new Date('2026-03-01T12:05:00Z'));
  expect(first.occurredAt).toBe(now.toISOString());
  expect(second.causeId).toBe(first.causeId);
});

test('drift below the trigger\'s number of features is no cause', () => {
  const policy = { stateMachineArn: 'arn', cooldownSeconds: 1, leaseSeconds: 1 };
  const parsed = causeEvent.parse(drift);
  expect(isCause(parsed, policy)).toBe(true);
  expect(isCause(parsed, { ...policy, minimumDriftedFeatures: 2 })).toBe(true);
  expect(isCause(parsed, { ...policy, minimumDriftedFeatures: 3 })).toBe(false);
  expect(isCause(causeEvent.parse(quality), { ...policy, minimumDriftedFeatures: 3 })).toBe(true);
});

test.each([
  ['another source', { ...quality, source: 'somebody' }],
  ['another detail type', { ...quality, 'detail-type': EVENTS.retrainDecided }],
  ['no time', { ...quality, detail: { ...quality.detail, occurredAt: 'yesterday' } }],
  ['a value that is no number', { ...quality, detail: { ...quality.detail, value: null } }],
  ['a model name with a slash', { ...requested, detail: { ...requested.detail, model: 'a/b' } }],
])('an event with %s is refused, so that it ends in the dead letters instead of nowhere', (_, sent) => {
  expect(causeEvent.safeParse(sent).success).toBe(false);
});
