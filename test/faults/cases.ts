import type { RunRecord } from '../../lib/tracking/contract';
import type { Lab, Remains } from './lab';
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

class Unmet extends Error {}

const require = (holds: boolean, otherwise: string): void => {
  if (!holds) throw new Unmet(otherwise);
};

/** States that a fault of a step may show up in: scoring is a branch of its parent. */
const recordedAs = (state: string): readonly string[] => (state === 'ScoreCandidate' ? ['ScoreCandidate', 'ScoreChampion', 'ScoreHoldout'] : [state]);

/** Runs into the fault and out of it again. */
export const runCase = async (lab: Lab, { step, fault }: Case): Promise<Outcome> => {
  const injection = step.faults[fault];
  const started = Date.now();
  const told = (passed: boolean, evidence: string): Outcome => ({
    step,
    fault,
    passed,
    evidence,
    seconds: Math.round((Date.now() - started) / 100) / 10,
  });
  if (typeof injection === 'string') return told(true, injection);
  try {
    return told(true, await inject(lab, step, injection));
  } catch (error) {
    return told(false, (error as Error).message);
  }
};

const inject = async (lab: Lab, step: Step, injection: Injection): Promise<string> => {
  await lab.settledEndpoint();
  const before = await lab.remains('none');
  const lift = await lab.inject(step.state, injection);
  let lifted = false;
  try {
    const runId = await lab.start();
    if (injection.stopRun) {
      await lab.entered(runId, step.state);
      await lab.stop(runId);
    }
    const run = await lab.ended(runId);
    const hits = await lift();
    lifted = true;
    require(hits > 0, 'the fault never struck');
    if (!injection.survives) return await failed(lab, step, injection, run, before);
    return await survived(lab, run, before, `${injection.survives} after ${hits} ${hits === 1 ? 'error' : 'errors'}`);
  } finally {
    if (!lifted) await lift();
  }
};

const survived = async (lab: Lab, run: RunRecord, before: Remains, how: string): Promise<string> => {
  require(run.status === 'FINISHED', `the run ended as ${run.status}: ${run.error?.step}: ${run.error?.name}: ${run.error?.message}`);
  await requireWhole(lab, run, before);
  return `${how}, v${run.version} serves`;
};

const failed = async (lab: Lab, step: Step, injection: Injection, run: RunRecord, before: Remains): Promise<string> => {
  const told = requireRecord(step, injection, run);
  await lab.settledEndpoint();
  const after = await lab.remains(run.runId);
  require(after.jobs.length === 0, `still running: ${after.jobs.join(', ')}`);
  // From the promotion on the new version is the champion; before it the old one must still be.
  const promoted = step.state === 'FinishPromoted' || (step.state === 'Promote' && after.champion !== before.champion);
  require(promoted || after.champion === before.champion, `the champion went from v${before.champion} to v${after.champion}`);
  const resumed = await lab.redrive(run.runId);
  const { status, error } = resumed;
  require(status === 'FINISHED', `after the redrive: ${status}: ${error?.step}: ${error?.name}: ${error?.message}`);
  await requireWhole(lab, resumed, before);
  return `${told}; redriven, v${resumed.version} serves`;
};

/** What the record tells of the end: step and cause. */
const requireRecord = (step: Step, { stopRun }: Injection, { status, error }: RunRecord): string => {
  // The last step's work is the record itself: a run whose step dies after it is on record as what it is.
  if (step.state === 'FinishPromoted' && status === 'FINISHED') return 'on record as finished';
  require(status === (stopRun ? 'KILLED' : 'FAILED'), `the run ended as ${status}`);
  require(error !== undefined && recordedAs(step.state).includes(error.step), `the record names ${error?.step} (${error?.name}: ${error?.message})`);
  require((error?.message ?? '') !== '' && error?.name !== 'Unknown', `the record tells no cause: ${error?.name}: ${error?.message}`);
  return `${error?.name}: ${shortened(error?.message ?? '')}`;
};

/** A run that ended well: its version serves, by the registry and by the endpoint, and nothing else is left. */
const requireWhole = async (lab: Lab, run: RunRecord, before: Remains): Promise<void> => {
  const after = await lab.remains(run.runId);
  require(after.jobs.length === 0, `still running: ${after.jobs.join(', ')}`);
  require(run.outcome === 'promoted', `the run's outcome is ${run.outcome}`);
  require(after.champion === run.version && after.champion !== before.champion, `the champion is v${after.champion}, the run made v${run.version}`);
  require(after.endpointStatus === 'InService', `the endpoint is ${after.endpointStatus}`);
  require(after.endpointConfig.includes(`-v${run.version}-`), `the endpoint runs ${after.endpointConfig} for v${run.version}`);
  const configurations = await lab.configurations();
  require(configurations <= 2, `${configurations} endpoint configurations are left`);
};

const shortened = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= 90 ? line : `${line.slice(0, 89)}…`;
};
