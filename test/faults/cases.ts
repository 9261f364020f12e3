import type { RunRecord } from '../../lib/tracking/contract';
import { eventually } from '../integration/harness';
import type { Lab, Remains } from './lab';
import { NO_ENDPOINT } from './remains';
import { FAULTS, type FaultName, type Injection, type Step } from './steps';

/** One cell of the matrix. */
export interface Case {
  readonly step: Step;
  readonly fault: FaultName;
}

export interface Outcome extends Case {
  readonly passed: boolean;
  /** What was seen, or what was not as it should be. */
  readonly evidence: string;
  readonly seconds: number;
}

export const casesOf = (steps: readonly Step[]): Case[] => steps.flatMap((step) => FAULTS.map((fault) => ({ step, fault })));

/** A case that a fault can strike. */
export const strikes = ({ step, fault }: Case): boolean => typeof step.faults[fault] !== 'string';

export class Unmet extends Error {}

export const require = (holds: boolean, otherwise: string): void => {
  if (!holds) throw new Unmet(otherwise);
};

/** Tells how something went, and how long it took. */
export const timed = async (prove: () => Promise<string>): Promise<Pick<Outcome, 'passed' | 'evidence' | 'seconds'>> => {
  const started = Date.now();
  const told = (passed: boolean, evidence: string) => ({ passed, evidence, seconds: Math.round((Date.now() - started) / 100) / 10 });
  try {
    return told(true, await prove());
  } catch (error) {
    return told(false, (error as Error).message);
  }
};

/** Runs into the fault and out of it again. */
export const runCase = async (lab: Lab, { step, fault }: Case): Promise<Outcome> => {
  const injection = step.faults[fault];
  const prove = async (): Promise<string> => {
    if (typeof injection === 'string') return injection;
    return step.run === 'decision' ? decide(lab, step, injection) : new CaseOf(lab, step, injection).run();
  };
  return { step, fault, ...(await timed(prove)) };
};

class CaseOf {
  private before: Remains = { jobs: [], endpointStatus: NO_ENDPOINT, endpointConfig: NO_ENDPOINT, configurations: 0 };
  /** Version that a rollback goes back to. */
  private target?: number;

  constructor(
    private readonly lab: Lab,
    private readonly step: Step,
    private readonly injection: Injection,
  ) {}

  async run(): Promise<string> {
    const { lab, step, injection } = this;
    await lab.settledEndpoint(step.lane !== 'fresh');
    this.before = await lab.remains('none');
    const { hits: struck, lift } = await lab.inject(step, injection);
    let lifted = false;
    try {
      const runId = await this.start();
      if (injection.stopAt) {
        await lab.entered(runId, injection.stopAt);
        await eventually('the fault', async () => (await struck()) > 0 || undefined);
        const version = injection.whenAsked ? await lab.asked(runId) : undefined;
        await lab.stop(runId);
        if (version !== undefined) await requireTooLate(lab, version);
      }
      const run = await lab.ended(runId);
      const hits = await lift();
      lifted = true;
      require(hits > 0, 'the fault never struck');
      if (!injection.survives) return await this.failed(run);
      return await this.survived(run, `${injection.survives} after ${hits} ${hits === 1 ? 'error' : 'errors'}`);
    } finally {
      if (!lifted) await lift();
    }
  }

  private async start(): Promise<string> {
    if (this.step.run !== 'rollback') return this.lab.start(this.injection.hyperparameters);
    const { runId, target } = await this.lab.startRollback();
    this.target = target;
    return runId;
  }

  private async survived(run: RunRecord, how: string): Promise<string> {
    const { status, error } = run;
    require(status === 'FINISHED', `the run ended as ${status}: ${error?.step}: ${error?.name}: ${error?.message}`);
    return `${how}, ${await this.requireWhole(run)}`;
  }

  private async failed(run: RunRecord): Promise<string> {
    const { lab } = this;
    const told = this.requireRecord(run);
    const left = await this.requireNothingHalfMade(run);
    const resumed = await lab.redrive(run.runId);
    const { status, error } = resumed;
    require(status === 'FINISHED', `after the redrive: ${status}: ${error?.step}: ${error?.name}: ${error?.message}`);
    return `${told}${left}; redriven, ${await this.requireWhole(resumed)}`;
  }

  /** No job runs, no endpoint is half made, and the champion is who it was, as far as the step is not the one that moves it. */
  private async requireNothingHalfMade({ runId }: RunRecord): Promise<string> {
    const { lab, step, before } = this;
    await lab.settledEndpoint(step.lane !== 'fresh');
    const after = await lab.remains(runId);
    require(after.jobs.length === 0, `still running: ${after.jobs.join(', ')}`);
    require((await this.champions(runId)).includes(after.champion), `the champion went from v${before.champion} to v${after.champion}`);
    if (step.lane === 'fresh') return ', no endpoint is left';
    if (!step.name.startsWith('UpdateEndpoint')) return '';
    if (after.endpointConfig === before.endpointConfig) return `, v${before.champion} serves on`;
    // Nobody calls a deployment off that is under way: the redrive finds it done.
    require(this.injection.stopAt === 'WaitForRelease', `the endpoint went from ${before.endpointConfig} to ${after.endpointConfig}`);
    return '';
  }

  /** Who may be the champion when the run has failed: from the step on that moves the pointer it is the new one. */
  private async champions(runId: string): Promise<(number | undefined)[]> {
    const { lab, step, before, target } = this;
    const [state] = step.states;
    if (step.run === 'rollback') return state === 'MovePointer' ? [before.champion, target] : [target];
    if (state !== 'FinishPromoted' && state !== 'Promote') return [before.champion];
    return [before.champion, ...(await lab.model.platform.registry.versionsOfRun(runId)).map(({ version }) => version)];
  }

  /** What the record tells of the end: step and cause. */
  private requireRecord({ status, error }: RunRecord): string {
    const { step, injection } = this;
    // The last step's work is the record itself: a run whose step dies after it is on record as what it is.
    if (step.name.startsWith('Finish') && status === 'FINISHED') return 'on record as finished';
    require(status === (injection.stopAt ? 'KILLED' : 'FAILED'), `the run ended as ${status}`);
    const states = injection.stopAt ? [...step.states, injection.stopAt] : step.states;
    require(error !== undefined && states.includes(error.step), `the record names ${error?.step} (${error?.name}: ${error?.message})`);
    require((error?.message ?? '') !== '' && error?.name !== 'Unknown', `the record tells no cause: ${error?.name}: ${error?.message}`);
    return `${error?.name}: ${shortened(error?.message ?? '')}`;
  }

  /** A run that ended well: its version serves, by the registry and by the endpoint, and nothing else is left. */
  private async requireWhole(run: RunRecord): Promise<string> {
    const version = this.target ?? run.version;
    const outcome = this.target === undefined ? 'promoted' : 'rolled-back';
    return requireServing(this.lab, run, { outcome, version, before: this.before.champion });
  }
}

/** Nobody decides for a run that has been stopped. */
const requireTooLate = async (lab: Lab, version: number): Promise<void> => {
  const refusal = await lab.reviewer?.approve(version).then(
    ({ outcome }) => outcome,
    (error: Error) => error.message,
  );
  require(/waits no more|has ended/.test(refusal ?? ''), `a decision for a run that was stopped was answered: ${refusal}`);
};

export interface Serving {
  readonly outcome: string;
  readonly version?: number;
  readonly before?: number;
}

export const requireServing = async (lab: Lab, { runId, outcome }: RunRecord, wanted: Serving): Promise<string> => {
  const { version, before } = wanted;
  const after = await lab.remains(runId);
  require(after.jobs.length === 0, `still running: ${after.jobs.join(', ')}`);
  require(outcome === wanted.outcome, `the run's outcome is ${outcome}`);
  require(after.champion === version && after.champion !== before, `the champion is v${after.champion}, the run's version v${version}`);
  require(after.endpointStatus === 'InService', `the endpoint is ${after.endpointStatus}`);
  require(after.endpointConfig.includes(`-v${version}-`), `the endpoint runs ${after.endpointConfig} for v${version}`);
  require(after.configurations <= 2, `${after.configurations} endpoint configurations are left`);
  return `v${version} serves`;
};

/** A person whose call fails calls again: the decision is taken once, and the run goes on. */
const decide = async (lab: Lab, step: Step, injection: Injection): Promise<string> => {
  await lab.settledEndpoint();
  const { reviewer } = lab;
  const before = await lab.remains('none');
  const runId = await lab.start();
  const version = await lab.asked(runId);
  const { lift } = await lab.inject(step, injection);
  const refusal = await reviewer?.approve(version).then(
    () => undefined,
    (error: Error) => error.message,
  );
  const hits = await lift();
  require(hits > 0, 'the fault never struck');
  require((refusal === undefined) === (injection.survives !== false), `the person was told: ${refusal ?? 'approved'}`);
  const again = refusal === undefined ? undefined : await reviewer?.approve(version);
  require(again === undefined || again.outcome === 'approved', `the second call was answered: ${again?.outcome}`);
  const run = await lab.ended(runId);
  require(run.status === 'FINISHED', `the run ended as ${run.status}: ${run.error?.step}: ${run.error?.name}: ${run.error?.message}`);
  const decisions = (await lab.model.platform.registry.history(lab.name)).filter((entry) => entry.version === version && entry.action === 'Approved');
  require(decisions.length === 1, `the decision is in the history ${decisions.length} times`);
  const serving = await requireServing(lab, run, { outcome: 'promoted', version: run.version, before: before.champion });
  if (refusal === undefined) return `tried again after ${hits} ${hits === 1 ? 'error' : 'errors'}, decided once, ${serving}`;
  return `${shortened(refusal)}; called again, decided once, ${serving}`;
};

export const shortened = (text: string, length = 90): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
};
