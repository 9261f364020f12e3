import { main } from '../../cli/program';
import { type ApprovalCall, type ApprovalReply, type PendingApproval, PROOF_TEXT } from '../../lib/pipeline/approval/contract';
import { MemoryPlatform, modelResources, PLATFORM } from '../fakes/platform';
import { fakeIo } from './fake-io';

process.env.AWS_REGION = 'eu-west-1';

const signed: string[] = [];
jest.mock('../../cli/prove', () => ({
  prove: async (_: unknown, text: string) => (signed.push(text), { authorization: 'signature', date: 'date' }),
}));

const ANA = 'arn:aws:sts::111122223333:assumed-role/Lead/ana';
const WAITING: PendingApproval = {
  model: 'Demand',
  version: 3,
  question: 'run-3:1',
  runId: 'run-3',
  policy: 'two-person',
  cause: 'rmse 120 is worse than 100',
  reason: 'rmse 60 against 64, at least 1 better with 95 % confidence',
  reportUri: 's3://reports/gates/Demand/run-3/gate.json',
  startedBy: ANA,
  approvedBy: [],
  requestedAt: '2026-03-01T00:00:00.000Z',
  expiresAt: '2026-03-08T00:00:00.000Z',
};

let calls: ApprovalCall[];
let reply: (call: ApprovalCall) => ApprovalReply;

beforeEach(() => {
  calls = [];
  signed.length = 0;
  reply = () => ({ ok: true, value: [WAITING] });
  const platform = new MemoryPlatform().install().add(PLATFORM, [modelResources('Demand', { decideFunction: 'decide' }), modelResources('Churn')]);
  platform.functions.set('decide', (payload) => (calls.push(payload as never), reply(payload as never)));
});
afterEach(() => jest.restoreAllMocks());

const mlops = async (...args: readonly string[]) => {
  const { io, written } = fakeIo();
  return { code: await main(args, io), ...written };
};

test('what waits is listed with who started it, until when, the report and what to type', async () => {
  const { code, out } = await mlops('approvals');
  expect(code).toBe(0);
  for (const text of ['Demand v3', ANA, 'another person', WAITING.reason, WAITING.reportUri, 'mlops approve Demand 3 --reason TEXT']) {
    expect(out).toContain(text);
  }
  expect(JSON.parse((await mlops('approvals', 'Demand', '--json')).out)).toEqual([WAITING]);
  expect(calls).toEqual([{ action: 'list' }, { action: 'list', model: 'Demand' }]);
  reply = () => ({ ok: true, value: [] });
  expect((await mlops('approvals')).out).toBe('nothing waits for approval\n');
});

test('a decision is signed as a whole, for the question that waits', async () => {
  const outcome = { model: 'Demand', version: 3, outcome: 'approved', by: ANA, approvedBy: [ANA] } as const;
  reply = (call) => ({ ok: true, value: call.action === 'list' ? [WAITING] : outcome });
  expect(await mlops('approve', 'Demand', 'v3', '--reason', 'looks right')).toMatchObject({ code: 0, out: `Demand v3 is approved by ${ANA}\n` });
  expect(signed).toEqual([PROOF_TEXT('decide', 'Demand', 3, 'run-3:1', 'approve', 'looks right')]);
  const proof = { authorization: 'signature' };
  expect(calls[1]).toMatchObject({ action: 'decide', question: 'run-3:1', decision: 'approve', reason: 'looks right', proof });
  expect(JSON.parse((await mlops('approve', 'Demand', '3', '--reason', 'x', '--json')).out)).toEqual(outcome);
});

test('the first of two approvals says that another is needed, a rejection who rejected', async () => {
  const told = (outcome: 'waiting' | 'rejected'): void => {
    const value = { model: 'Demand', version: 3, outcome, by: ANA, approvedBy: [ANA] };
    reply = (call) => ({ ok: true, value: call.action === 'list' ? [WAITING] : value });
  };
  told('waiting');
  expect((await mlops('approve', 'Demand', '3', '--reason', 'x')).out).toBe(`Demand v3 is approved by ${ANA} and waits for another person\n`);
  told('rejected');
  expect((await mlops('reject', 'Demand', '3', '--reason', 'x')).out).toBe(`Demand v3 is rejected by ${ANA}\n`);
});

test('refusals say what holds and what to do', async () => {
  const refuse = (name: string, message: string): void => {
    reply = (call) => (call.action === 'list' ? { ok: true, value: [] } : { ok: false, name, message });
  };
  const approve = () => mlops('approve', 'Demand', '3', '--reason', 'x');
  refuse('ApprovalNotPending', 'Demand v3 was rejected by bob: too slow');
  expect(await approve()).toMatchObject({ code: 1, err: expect.stringMatching(/was rejected by bob: too slow\n.*mlops approvals/) });
  refuse('ApprovalExpired', 'the approval of Demand v3 expired at 2026-03-08');
  expect((await approve()).err).toMatch(/expired at 2026-03-08\n.*mlops runs start/);
  refuse('RegistryForbidden', 'asks for somebody else than ana, who started the run');
  expect((await approve()).err).toMatch(/who started the run\n.*ask somebody else/);
  reply = () => {
    throw Object.assign(new Error('not authorized to perform: lambda:InvokeFunction'), { name: 'AccessDeniedException' });
  };
  expect((await approve()).code).toBe(1);
  expect(await mlops('approve', 'Churn', '1', '--reason', 'x')).toMatchObject({ code: 1, err: expect.stringContaining('asks nobody to approve') });
  expect(await mlops('approve', 'Demand', '3')).toMatchObject({ code: 2, err: expect.stringContaining('--reason') });
  expect((await mlops('approve', 'Demand', 'three', '--reason', 'x')).code).toBe(2);
});
