import { Approvals, type ApprovalPorts } from '../../../../lambda/pipeline/approval/approvals';
import { ApprovalsClient } from '../../../../lambda/pipeline/approval/approvals.client';
import type { ModelRegistryClient } from '../../../../lambda/registry/model-registry.client';
import type { ApprovalRequest } from '../../../../lib/pipeline/approval/contract';
import type { VersionRule } from '../../../../lib/registry/contract';
import { MemoryDynamo } from '../../../fakes/memory-dynamo';
import { registryOver, versionRecord } from '../../../fakes/registry';

export const person = (name: string, role = 'Lead'): string => `arn:aws:sts::111122223333:assumed-role/${role}/${name}`;

export interface Told {
  readonly token: string;
  readonly error?: string;
  readonly output?: object;
}

export type Policy = ApprovalRequest['policy'];

const RULES: Readonly<Record<Policy, readonly VersionRule[]>> = {
  manual: [{ state: 'Approved', person: true }],
  'two-person': [{ state: 'Approved', twoPerson: true }],
};

/** Approval over real clients and a store in memory; runs and events are what the test sees. */
export class Bench {
  readonly dynamo = new MemoryDynamo();
  readonly registry: ModelRegistryClient = registryOver(this.dynamo.client());
  readonly store = new ApprovalsClient('approvals', this.dynamo.client());
  readonly told: Told[] = [];
  readonly events: { readonly type: string; readonly detail: Record<string, unknown> }[] = [];
  readonly recorded: unknown[] = [];
  readonly ended = new Set<string>();
  /** Called before each write or message with its name; what it throws, the write fails with. */
  before: (what: string) => void = () => undefined;
  /** The same after the write was done: the answer is lost. */
  after: (what: string) => void = () => undefined;
  time = Date.parse('2026-03-01T00:00:00Z');

  readonly approvals = new Approvals({
    platform: 'mlops',
    store: {
      find: (model, version, round) => this.store.find(model, version, round),
      latest: (model, version) => this.store.latest(model, version),
      open: () => this.store.open(),
      write: (question) => this.around('table', () => this.store.write(question)),
    },
    registry: {
      getVersion: (model, version) => this.registry.getVersion(model, version),
      askApproval: (...all) => this.around('registry', () => this.registry.askApproval(...all)),
      transition: (...all) => this.around('registry', () => this.registry.transition(...all)),
    },
    runs: {
      isRunning: async (arn) => !this.ended.has(arn),
      succeed: (token, output) => this.around('run', async () => void this.told.push({ token, output })),
      fail: (token, error) => this.around('run', async () => void this.told.push({ token, error })),
    },
    announce: (type, detail) => this.around('bus', async () => void this.events.push({ type, detail: { ...detail } as Record<string, unknown> })),
    record: async (runId, step) => void this.recorded.push([runId, step.status, step.error]),
    now: () => new Date(this.time),
  } as ApprovalPorts);

  async register(policy: Policy | 'automatic', runId = 'run-1', passed = true): Promise<number> {
    const rules = policy === 'automatic' ? [] : RULES[policy];
    const gate = { passed, reason: 'better', reportUri: `s3://reports/${runId}/gate.json` };
    const record = versionRecord(runId, { gate });
    const { version } = await this.registry.registerVersion({ name: 'Bikes', rules }, { source: 's3://x', runId, record }, { actor: 'pipeline', reason: 'x' });
    return version;
  }

  request(policy: Policy, version = 1, more: Partial<ApprovalRequest> = {}): ApprovalRequest {
    const { runId = `run-${version}`, round = 0 } = more;
    return {
      model: 'Bikes',
      version,
      runId,
      round,
      cause: 'rmse is worse',
      reason: 'better',
      reportUri: `s3://reports/${runId}/${round}/gate.json`,
      policy,
      expirySeconds: 7_200,
      reminderSeconds: 3_600,
      request: {},
      executionArn: `arn:execution:${runId}`,
      enteredAt: new Date(this.time).toISOString(),
      taskToken: `token-${runId}-${round}`,
      ...more,
    };
  }

  decide(decision: 'approve' | 'reject', caller: string, more: { readonly version?: number; readonly question?: string } = {}) {
    const { version = 1 } = more;
    return this.approvals.decide({ model: 'Bikes', version, question: `run-${version}:0`, decision, reason: 'looked at it', caller, ...more });
  }

  async sweep(): Promise<void> {
    for await (const question of this.store.open()) await this.approvals.tend(question);
  }

  pass(seconds: number): void {
    this.time += seconds * 1000;
  }

  async state(version = 1): Promise<string> {
    return (await this.registry.getVersion('Bikes', version)).state;
  }

  async status(version = 1): Promise<string | undefined> {
    return (await this.store.latest('Bikes', version))?.status;
  }

  /** What happened to the version, as the registry's history tells it. */
  async actions(version = 1): Promise<string[]> {
    return (await this.registry.history('Bikes')).filter((entry) => entry.version === version).map(({ action }) => action);
  }

  decided(): unknown[] {
    return this.events.filter(({ type }) => type === 'Approval Decided').map(({ detail }) => detail.decision);
  }

  private async around<T>(what: string, act: () => Promise<T>): Promise<T> {
    this.before(what);
    const answer = await act();
    this.after(what);
    return answer;
  }
}
