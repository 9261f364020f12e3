import { type HalfMadePorts, removeHalfMade } from '../../../lambda/pipeline/half-made-endpoint';

const SINCE = new Date('2026-01-01T10:00:00.500Z');
const during = new Date('2026-01-01T10:05:00Z');
type Live = { readonly EndpointStatus: string; readonly EndpointConfigName: string; readonly CreationTime: Date } | undefined;
const live = (status: string, config = 'c', made = during): Live => ({ EndpointStatus: status, EndpointConfigName: config, CreationTime: made });

interface Options {
  readonly redrivenAfter?: number;
  readonly timeLeft?: number;
  readonly mayStillCome?: boolean;
}
/** The endpoint as it is seen look after look; the last one stays. */
const world = (looks: readonly Live[], options: Options = {}) => {
  let look = 0;
  let asked = 0;
  const deleted: string[] = [];
  const ports = {
    endpoints: {
      describe: async () => looks[Math.min(look++, looks.length - 1)],
      deleteEndpoint: async (name: string) => void deleted.push(name),
    },
    isRedriven: async () => (asked += 1) > (options.redrivenAfter ?? Infinity),
    timeLeft: () => options.timeLeft ?? 60_000,
    pollMilliseconds: 1,
  } as unknown as HalfMadePorts;
  const run = () => removeHalfMade(ports, { endpointName: 'e', since: SINCE, mayStillCome: options.mayStillCome ?? false });
  return { deleted, run, looks: () => look };
};

test.each([
  ['has failed', [live('Failed')]],
  ['is being created, as soon as that is over', [live('Creating'), live('Creating'), live('InService')]],
  ['is being created and fails', [live('Creating'), live('Failed')]],
])('an endpoint of the run that %s is removed', async (_, looks) => {
  const { run, deleted } = world(looks);
  expect(await run()).toBe(true);
  expect(deleted).toEqual(['e']);
});

test.each([
  ['served when the run ended', [live('InService')]],
  ['is being updated', [live('Updating')]],
  ['is older than the run', [live('Failed', 'c', new Date('2026-01-01T09:59:59Z'))]],
  ['another run has taken over meanwhile', [live('Creating'), live('InService', 'other')]],
  ['another run changes meanwhile', [live('Creating'), live('Updating')]],
  ['is not there', [undefined]],
])('one that %s is left alone', async (_, looks) => {
  const { run, deleted } = world(looks);
  expect(await run()).toBe(false);
  expect(deleted).toEqual([]);
});

test('a redrive answers for the endpoint from its beginning on', async () => {
  for (const redrivenAfter of [0, 1]) {
    const { run, deleted } = world([live('Creating'), live('InService')], { redrivenAfter });
    expect([await run(), deleted]).toEqual([false, []]);
  }
});

test('an endpoint that was still being asked for when the run ended is looked for once more', async () => {
  const { run, looks } = world([undefined, live('Failed')], { mayStillCome: true });
  expect([await run(), looks()]).toEqual([true, 2]);
});

test('where time runs out it fails, so that the event is tried again', async () => {
  await expect(world([live('Creating')], { timeLeft: 1 }).run()).rejects.toThrow('endpoint e is still Creating');
});
