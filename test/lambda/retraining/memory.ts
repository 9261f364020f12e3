import type { GovernorState, Outcome } from '../../../lambda/retraining/governor';
import { ruleOf, settle } from '../../../lambda/retraining/governor';
import type { Claim, GovernorStore } from '../../../lambda/retraining/governor.client';
import type { GovernorPorts } from '../../../lambda/retraining/handle-cause';
import type { Execution, PipelineRuns } from '../../../lambda/retraining/runs.client';
import type { PipelineInput } from '../../../lib/pipeline/contract';
import type { DecisionRecord } from '../../../lib/retraining/contract';

export class Crash extends Error {}

/** The governor's world in memory, with the rules of the real one: conditional writes, unique execution names; it can crash after any write. */
export class World implements GovernorStore, PipelineRuns {
  readonly states = new Map<string, GovernorState>();
  readonly claims = new Map<string, Claim>();
  readonly decisions = new Map<string, DecisionRecord>();
  readonly executions = new Map<string, Execution>();
  readonly announced: DecisionRecord[] = [];
  clock = new Date('2026-03-01T12:00:00Z');
  /** Writes until the process dies; each write counts, also one that its condition refused. */
  writesLeft = Infinity;
  /** Whether it dies before or after the write that is its last. */
  diesBefore = false;

  readonly ports: GovernorPorts = {
    store: this,
    runs: this,
    announce: async (record) => this.write(() => void this.announced.push(record)),
    now: () => (this.clock = new Date(this.clock.getTime() + 1)),
  };

  async state(model: string): Promise<GovernorState> {
    return this.states.get(model) ?? { model, revision: 0, rejectedCauses: {} };
  }

  async replace(next: GovernorState): Promise<boolean> {
    return this.write(() => this.put(next));
  }

  async update(model: string, change: (state: GovernorState) => GovernorState): Promise<GovernorState> {
    const state = await this.state(model);
    const next = change(state);
    if (next !== state) this.put(next);
    return next;
  }

  async findClaim(_model: string, causeId: string): Promise<Claim | undefined> {
    return this.claims.get(causeId);
  }

  async claim(state: GovernorState, record: DecisionRecord): Promise<boolean> {
    return this.write(() => {
      if (this.claims.has(record.cause.causeId) || !this.put(state)) return false;
      this.claims.set(record.cause.causeId, { record, announced: false });
      return true;
    });
  }

  async forget(record: DecisionRecord): Promise<void> {
    this.write(() => this.claims.delete(record.cause.causeId));
  }

  async addDecision(record: DecisionRecord): Promise<void> {
    this.write(() => this.decisions.set(`${record.at}#${record.cause.causeId}`, record));
  }

  async markAnnounced(record: DecisionRecord): Promise<void> {
    this.write(() => this.claims.set(record.cause.causeId, { record, announced: true }));
  }

  async start(stateMachineArn: string, input: PipelineInput): Promise<void> {
    const arn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${input.runId}`;
    this.write(() => this.executions.has(arn) || this.executions.set(arn, { status: 'RUNNING', input: JSON.stringify(input) }));
  }

  async find(executionArn: string): Promise<Execution | undefined> {
    return this.executions.get(executionArn);
  }

  /** The run ends and its status event is handled, or lost. */
  async end(model: string, outcome: Outcome, lost = false): Promise<void> {
    const state = await this.state(model);
    const lock = state.lock;
    if (!lock) throw new Error('nothing is running');
    const status = outcome === 'failed' ? 'FAILED' : 'SUCCEEDED';
    this.executions.set(lock.executionArn, { ...this.executions.get(lock.executionArn), status, output: JSON.stringify({ outcome }) });
    if (lost) return;
    const rule = ruleOf((this.claims.get(lock.causeId) as Claim).record.cause);
    this.put(settle(state, { runId: lock.runId, outcome, occurredAt: lock.occurredAt, rule }));
  }

  running(): string[] {
    return [...this.executions].filter(([, { status }]) => status === 'RUNNING').map(([arn]) => arn);
  }

  private put(next: GovernorState): boolean {
    const current = this.states.get(next.model)?.revision ?? 0;
    if (next.revision !== current) return false;
    this.states.set(next.model, { ...next, revision: current + 1 });
    return true;
  }

  private write<T>(action: () => T): T {
    this.writesLeft -= 1;
    if (this.writesLeft < 0 || (this.writesLeft === 0 && this.diesBefore)) throw new Crash();
    const result = action();
    if (this.writesLeft === 0) throw new Crash();
    return result;
  }
}
