import fc from 'fast-check';
import { isApprover, type Question } from '../../../../lambda/pipeline/approval/question';
import { Bench, person } from './bench';

const ana = person('ana');
const bob = person('bob');
const cleo = person('cleo');

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe('one person approves', () => {
  beforeEach(async () => {
    await bench.register('manual');
    await bench.approvals.request(bench.request('manual', 1, { request: { startedBy: ana } }));
  });

  test('and the run goes on, with the decision on record and on the bus', async () => {
    expect(await bench.approvals.pending()).toEqual([
      expect.objectContaining({ model: 'Bikes', version: 1, question: 'run-1:0', startedBy: ana, approvedBy: [] }),
    ]);
    expect(await bench.decide('approve', ana)).toEqual({ model: 'Bikes', version: 1, outcome: 'approved', by: ana, approvedBy: [ana] });
    expect(bench.told).toEqual([{ token: 'token-run-1-0', output: { version: 1, approvedBy: [ana] } }]);
    expect((await bench.registry.history('Bikes')).at(-1)).toMatchObject({
      action: 'Approved',
      actor: ana,
      reason: 'looked at it',
      evidenceUri: 's3://reports/run-1/0/gate.json',
    });
    expect(bench.events.map(({ type }) => type)).toEqual(['Approval Requested', 'Approval Decided']);
    expect([await bench.status(), await bench.approvals.pending()]).toEqual(['approved', []]);
  });

  test('or rejects, and the run fails by name', async () => {
    expect(await bench.decide('reject', bob)).toMatchObject({ outcome: 'rejected', by: bob });
    expect(bench.told).toEqual([{ token: 'token-run-1-0', error: 'ApprovalRejected' }]);
    expect([await bench.state(), await bench.status(), bench.decided()]).toEqual(['Rejected', 'rejected', ['rejected']]);
    expect(bench.recorded).toEqual([['run-1', 'RUNNING', undefined], ['run-1', 'FAILED', 'looked at it']]);
  });

  test('once: the same again is told again, anything else is refused', async () => {
    await bench.decide('approve', ana);
    expect(await bench.decide('approve', ana)).toMatchObject({ outcome: 'approved' });
    await expect(bench.decide('reject', ana)).rejects.toThrow(/was approved by .*\/ana/);
    await expect(bench.decide('reject', bob)).rejects.toMatchObject({ name: 'ApprovalNotPending' });
    expect([await bench.state(), bench.told.length]).toEqual(['Approved', 1]);
  });

  test('not a version that nobody is asked about', async () => {
    await bench.register('manual', 'run-2');
    await expect(bench.decide('approve', ana, { version: 2 })).rejects.toMatchObject({ name: 'ApprovalNotPending' });
  });

  test('not after the time is over: then the version is rejected and the run fails as expired', async () => {
    bench.pass(7_200);
    await expect(bench.decide('approve', ana)).rejects.toMatchObject({ name: 'ApprovalExpired' });
    expect(bench.told).toEqual([{ token: 'token-run-1-0', error: 'ApprovalExpired' }]);
    expect([await bench.state(), await bench.status(), bench.decided()]).toEqual(['Rejected', 'expired', ['expired']]);
    await expect(bench.decide('approve', ana)).rejects.toMatchObject({ name: 'ApprovalExpired' });
  });

  test('not for a run that has ended; a redrive asks again', async () => {
    bench.ended.add('arn:execution:run-1');
    await expect(bench.decide('approve', ana)).rejects.toThrow(/waits no more/);
    expect([await bench.state(), await bench.status()]).toEqual(['PendingApproval', 'withdrawn']);
    bench.ended.clear();
    bench.pass(86_400);
    await bench.approvals.request(bench.request('manual', 1, { taskToken: 'second' }));
    expect(await bench.decide('approve', ana)).toMatchObject({ outcome: 'approved' });
    expect(bench.told).toEqual([{ token: 'second', output: expect.anything() }]);
  });

  test('with all the time there is, where a run is redriven after it would have been over', async () => {
    const { enteredAt } = bench.request('manual');
    bench.ended.add('arn:execution:run-1');
    await expect(bench.decide('approve', ana)).rejects.toThrow(/waits no more/);
    bench.ended.clear();
    bench.pass(30 * 86_400);
    // The state was entered when the run began to wait, and a redrive need not enter it anew.
    await bench.approvals.request(bench.request('manual', 1, { taskToken: 'second', enteredAt }));
    expect(await bench.decide('approve', ana)).toMatchObject({ outcome: 'approved' });
  });

  test('for the last token that the run waits with', async () => {
    await bench.approvals.request(bench.request('manual', 1, { taskToken: 'retried' }));
    await bench.decide('approve', ana);
    expect(bench.told.map(({ token }) => token)).toEqual(['retried']);
    expect(bench.events.filter(({ type }) => type === 'Approval Requested')).toHaveLength(1);
  });
});

describe('two persons approve', () => {
  test('one beside who started the run, who cannot be the second', async () => {
    await bench.register('two-person');
    await bench.approvals.request(bench.request('two-person', 1, { request: { startedBy: ana } }));
    await expect(bench.decide('approve', ana)).rejects.toMatchObject({ name: 'RegistryForbidden' });
    await expect(bench.decide('approve', person('ana', 'Admin'))).rejects.toThrow(/who started the run/);
    expect(await bench.decide('approve', bob)).toMatchObject({ outcome: 'approved', approvedBy: [bob] });
  });

  test('two where nobody started the run, each once', async () => {
    await bench.register('two-person');
    await bench.approvals.request(bench.request('two-person'));
    expect(await bench.decide('approve', bob)).toMatchObject({ outcome: 'waiting', approvedBy: [bob] });
    expect(await bench.decide('approve', person('bob', 'Admin'))).toMatchObject({ outcome: 'waiting', approvedBy: [bob] });
    expect([bench.told, (await bench.approvals.pending('Bikes', 1))[0].approvedBy]).toEqual([[], [bob]]);
    expect(await bench.decide('approve', cleo)).toMatchObject({ outcome: 'approved', approvedBy: [bob, cleo] });
    expect(await bench.actions()).toEqual(['Registered', 'ApprovalRequested', 'Endorsed', 'Approved']);
  });

  test('and one of them rejects', async () => {
    await bench.register('two-person');
    await bench.approvals.request(bench.request('two-person', 1, { request: { startedBy: ana } }));
    await bench.decide('reject', ana);
    expect(await bench.state()).toBe('Rejected');
  });
});

describe('a version that is judged once more', () => {
  const asked = async (): Promise<void> => {
    await bench.register('manual');
    await bench.approvals.request(bench.request('manual'));
    await bench.decide('approve', ana);
    await bench.approvals.request(bench.request('manual', 1, { round: 1 }));
  };

  test('waits again: the approval was for another report', async () => {
    await asked();
    expect(await bench.state()).toBe('PendingApproval');
    await expect(bench.decide('approve', bob)).rejects.toThrow(/judged once more/);
    await bench.decide('approve', bob, { question: 'run-1:1' });
    expect(bench.told.map(({ token }) => token)).toEqual(['token-run-1-0', 'token-run-1-1']);
    expect((await bench.registry.getVersion('Bikes', 1)).approval).toMatchObject({ round: 1, approvedBy: [bob] });
  });

  test('is asked about once in each round, also where the step is tried again after the answer', async () => {
    await asked();
    await bench.decide('approve', bob, { question: 'run-1:1' });
    await bench.approvals.request(bench.request('manual', 1, { round: 1, taskToken: 'again' }));
    expect(await bench.state()).toBe('Approved');
    await bench.sweep();
    expect(bench.told.at(-1)).toMatchObject({ token: 'again', output: { approvedBy: [bob] } });
  });
});

describe('the sweep', () => {
  beforeEach(async () => {
    await bench.register('manual');
    await bench.approvals.request(bench.request('manual'));
  });

  test('reminds once, then ends what expired', async () => {
    const reminders = () => bench.events.filter(({ type, detail }) => type === 'Approval Requested' && detail.reminder).length;
    await bench.sweep();
    expect(reminders()).toBe(0);
    bench.pass(3_600);
    await bench.sweep();
    await bench.sweep();
    expect(reminders()).toBe(1);
    bench.pass(3_600);
    await bench.sweep();
    await bench.sweep();
    expect([await bench.state(), bench.told, bench.decided()]).toEqual([
      'Rejected',
      [{ token: 'token-run-1-0', error: 'ApprovalExpired' }],
      ['expired'],
    ]);
    expect((await bench.registry.history('Bikes')).at(-1)).toMatchObject({ actor: 'policy:approval-expired', action: 'Rejected' });
  });

  test('tells runs what was decided elsewhere', async () => {
    await bench.registry.transition('Bikes', 1, 'Approved', { actor: bob, reason: 'by the API' });
    await bench.sweep();
    expect(bench.told).toEqual([{ token: 'token-run-1-0', output: { version: 1, approvedBy: [bob] } }]);
  });

  test('lets go of what nobody waits for, and rejects it all the same when it expires in the meantime', async () => {
    bench.ended.add('arn:execution:run-1');
    bench.pass(7_200);
    await bench.sweep();
    expect([await bench.state(), await bench.status()]).toEqual(['Rejected', 'expired']);
  });

  test('and a redrive of a run whose version was rejected fails at once by the same name', async () => {
    bench.pass(7_200);
    await bench.sweep();
    await expect(bench.approvals.request(bench.request('manual', 1, { taskToken: 'redrive' }))).rejects.toMatchObject({ name: 'ApprovalExpired' });
    expect(await bench.approvals.pending()).toEqual([]);
  });
});

test('only sessions of the named roles decide, whatever the path of the role', async () => {
  const question = { approverRoles: ['arn:aws:iam::111122223333:role/people/Lead'] } as unknown as Question;
  expect(isApprover(question, ana)).toBe(true);
  expect(isApprover(question, person('ana', 'Other'))).toBe(false);
  expect(isApprover(question, 'arn:aws:sts::999999999999:assumed-role/Lead/ana')).toBe(false);
  expect(isApprover(question, 'arn:aws:iam::111122223333:user/Lead')).toBe(false);
  await bench.register('manual');
  await bench.approvals.request(bench.request('manual', 1, { approverRoles: question.approverRoles }));
  await expect(bench.decide('approve', person('ana', 'Other'))).rejects.toMatchObject({ name: 'ApprovalNotAllowed' });
});

/** A program that dies at one of its writes, before or after it. */
const crash = fc.record({ at: fc.integer({ min: 1, max: 12 }), when: fc.constantFrom('before' as const, 'after' as const) });
type Step = 'approve' | 'reject' | 'expire';

test('whatever dies at whatever write, trying again and sweeping lead to one decision, one answer, and nothing left open', async () => {
  const story = fc.tuple(fc.constantFrom<Step>('approve', 'reject', 'expire'), fc.array(crash, { maxLength: 4 }), fc.boolean());
  await fc.assert(
    fc.asyncProperty(story, async ([end, crashes, personRetries]) => {
      const made = new Bench();
      await made.register('manual');
      const queue = [...crashes];
      let count = 0;
      const die = (when: 'before' | 'after') => (): void => {
        if (when === 'before') count += 1;
        if (queue[0]?.at !== count || queue[0].when !== when) return;
        queue.shift();
        count = 0;
        throw Object.assign(new Error('died'), { name: 'Died' });
      };
      made.before = die('before');
      made.after = die('after');
      const tried = async (act: () => Promise<unknown>, times: number): Promise<void> => {
        for (let attempt = 0; attempt < times; attempt += 1) {
          const error = await act().then(() => undefined, (failure: Error) => failure);
          if (error === undefined) return;
          if (error.name !== 'Died') throw error;
        }
      };
      await tried(() => made.approvals.request(made.request('manual')), 9);
      if (end === 'expire') made.pass(7_200);
      else await tried(() => made.decide(end, ana), personRetries ? 9 : 1);
      // Nobody can decide before anything was written down; then a person tries again, as they would.
      if ((await made.state()) === 'PendingApproval' && end !== 'expire') await tried(() => made.decide(end, ana), 9);
      await tried(() => made.sweep(), 9);
      const ending = { approve: 'Approved', reject: 'Rejected', expire: 'Rejected' }[end];
      expect(await made.state()).toBe(ending);
      expect((await made.actions()).filter((action) => action === ending)).toHaveLength(1);
      const error = { approve: undefined, reject: 'ApprovalRejected', expire: 'ApprovalExpired' }[end];
      expect(made.told.length).toBeGreaterThan(0);
      for (const answer of made.told) expect([answer.token, answer.error]).toEqual(['token-run-1-0', error]);
      const decision = { approve: 'approved', reject: 'rejected', expire: 'expired' }[end];
      expect([...new Set(made.decided())]).toEqual([decision]);
      expect(made.dynamo.items('approvals').map(({ status, gsi1pk }) => [status, gsi1pk])).toEqual([[decision, undefined]]);
    }),
    { numRuns: 150 },
  );
});
