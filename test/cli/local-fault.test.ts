import { main } from '../../cli/program';
import { LocalEngine } from '../../local/engine';
import { type Fault, type FaultRule, Faults } from '../../local/faults';
import { fakeIo } from './fake-io';

const fault = async (...args: string[]) => {
  const { io, written } = fakeIo();
  return { code: await main(['local', 'fault', ...args], io), ...written };
};

describe('local fault', () => {
  let added: FaultRule[];
  beforeEach(() => {
    added = [];
    const engine = { endpoint: 'http://127.0.0.1:1', token: 't', name: 'default' } as unknown as LocalEngine;
    jest.spyOn(LocalEngine, 'find').mockReturnValue(engine);
    jest.spyOn(Faults.prototype, 'add').mockImplementation((rule) => {
      added.push(rule);
      return Promise.resolve({ ...rule, id: 'fault-1', seen: 0, hits: 0 });
    });
  });
  afterEach(() => jest.restoreAllMocks());

  test('throttles once where nothing else is said', async () => {
    expect((await fault('add', 'CreateTrainingJob')).out).toBe('fault-1: sagemaker CreateTrainingJob: ThrottlingException, 1 time\n');
    expect(added).toEqual([
      { on: 'sagemaker', operation: 'CreateTrainingJob', effect: { kind: 'error', error: 'ThrottlingException', message: 'Rate exceeded' } },
    ]);
  });

  test('takes everything that a rule may say', async () => {
    const words = ['promote', '--on', 'lambda', '--error', 'Registry.Conflict', '--after-run', '--contains', 'run-7', '--skip', '1', '--times', '0'];
    expect((await fault('add', ...words)).out).toContain('lambda promote with "run-7": Registry.Conflict after its work, always, after 1 call\n');
    await fault('add', 'CreateTrainingJob', '--effect', 'interrupt-spot', '--after', '2.5');
    expect(added).toMatchObject([
      { on: 'lambda', nameContains: 'run-7', skip: 1, times: 0, effect: { kind: 'error', error: 'Registry.Conflict', afterRun: true } },
      { on: 'sagemaker', effect: { kind: 'interrupt-spot', afterSeconds: 2.5 } },
    ]);
    expect(added[1].effect).not.toHaveProperty('error');
  });

  test('lists what struck how often, and says what it removed', async () => {
    const rule: Fault = { id: 'fault-3', on: 'sagemaker', operation: 'UpdateEndpoint', times: 2, effect: { kind: 'kill' }, seen: 5, hits: 2 };
    jest.spyOn(Faults.prototype, 'list').mockResolvedValueOnce([rule]).mockResolvedValueOnce([]);
    jest.spyOn(Faults.prototype, 'clear').mockResolvedValue(1);
    expect((await fault('list')).out).toMatch(/fault-3 +sagemaker UpdateEndpoint: kill, 2 times +5 +2/);
    expect((await fault('list')).out).toBe('no faults are set\n');
    expect((await fault('clear', 'fault-3', '--json')).out).toBe('{\n  "removed": 1\n}\n');
  });

  test.each([
    [['add', 'X', '--effect', 'explode']],
    [['add', 'X', '--times', '-1']],
    [['add', 'X', '--on', 's3']],
    [['add']],
  ])('answers %j with exit code 2', async (words) => expect((await fault(...words)).code).toBe(2));
});
