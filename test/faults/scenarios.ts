import { setTimeout as sleep } from 'node:timers/promises';
import type { RunRecord } from '../../lib/tracking/contract';
import { eventually } from '../integration/harness';
import { EXPIRY_SECONDS } from './app';
import { require, requireServing, shortened } from './cases';
import type { Hyperparameters, Lab } from './lab';
import { sweep } from './persons';
import { NO_ENDPOINT } from './remains';
import { underTraffic } from './traffic';

/** What no single step shows: several runs, a person, clients. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  readonly lane: 'asked' | 'expiring' | 'instances';
  readonly prove: (lab: Lab) => Promise<string>;
}

/** No training row has it, so no gate sees what a model does with it. */
const UNSEEN_X = 5_000;
const SEEN_X = 5;

const ended = ({ status, outcome, error }: RunRecord): string =>
  status === 'FINISHED' ? `${status}, ${outcome}` : `${status}: ${error?.step}: ${error?.name}: ${error?.message}`;

const requireFailed = (run: RunRecord, step: string, name: string): string => {
  require(run.status === 'FAILED' && run.error?.step === step && run.error?.name === name, `the run ended as ${ended(run)}`);
  return shortened(`${name}: ${run.error?.message}`, 240);
};

/** A run on nothing but the app's own settings, which has to end well. */
const soundRun = async (lab: Lab): Promise<string> => {
  const before = (await lab.remains('none')).champion;
  const run = await lab.ended(await lab.start());
  require(run.status === 'FINISHED', `the second run ended as ${ended(run)}`);
  return `a second run ends well: ${await requireServing(lab, run, { outcome: 'promoted', version: run.version, before })}`;
};

/** A run that has to fail at its release: the champion serves on, and the next run ends well. */
const failingRelease = async (lab: Lab, run: () => Promise<RunRecord>): Promise<string> => {
  const before = await lab.remains('none');
  const found = await run();
  const told = requireFailed(found, 'CheckRelease', 'ReleaseFailed');
  await lab.settledEndpoint();
  const after = await lab.remains(found.runId);
  require(after.jobs.length === 0, `still running: ${after.jobs.join(', ')}`);
  require(after.champion === before.champion, `the champion went from v${before.champion} to v${after.champion}`);
  require(after.endpointConfig === before.endpointConfig, `the endpoint went from ${before.endpointConfig} to ${after.endpointConfig}`);
  return `${told}; v${before.champion} serves on; ${await soundRun(lab)}`;
};

const serves = (how: 'batchwise' | 'fragile'): Hyperparameters => ({ serves: how });

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'ChampionMoved',
    what: 'a run that outlives its champion is judged again, by gate and person, before its version serves',
    lane: 'asked',
    prove: async (lab) => {
      const { registry } = lab.model.platform;
      const first = await lab.start();
      const version = await lab.asked(first);
      const second = await lab.startPastGovernor();
      await lab.asked(second);
      const between = await lab.ended(second);
      require(between.outcome === 'promoted', `the run that overtakes ended as ${ended(between)}`);
      await lab.reviewer?.approve(version);
      await lab.asked(first, 1);
      require((await lab.remains(first)).champion === between.version, 'the endpoint or the pointer moved before the second judgement');
      const run = await lab.ended(first);
      require(run.status === 'FINISHED', `the run ended as ${ended(run)}`);
      const rounds = await lab.entries(first, 'ScoreHoldout');
      require(rounds === 2 && (await lab.entries(first, 'NextRound')) === 1, `the holdout was scored ${rounds} times`);
      const { tags = {}, approval } = await registry.getVersion(lab.name, version);
      require(tags['mlops.gate.round-1'] !== undefined && approval?.round === 1, 'the version does not tell of its second judgement');
      const serving = await requireServing(lab, run, { outcome: 'promoted', version, before: between.version });
      return `v${version} was approved, but v${between.version} served by then: judged again, asked again (round 1), ${serving}`;
    },
  },
  {
    name: 'ApprovalExpired',
    what: 'nobody answers in time',
    lane: 'expiring',
    prove: async (lab) => {
      const { registry } = lab.model.platform;
      const before = await lab.remains('none');
      const runId = await lab.start();
      const version = await lab.asked(runId);
      await sleep(EXPIRY_SECONDS * 1_000);
      await sweep(lab.model.platform.name);
      const run = await lab.ended(runId);
      const told = requireFailed(run, 'RequestApproval', 'ApprovalExpired');
      const { state } = await registry.getVersion(lab.name, version);
      require(state === 'Rejected', `version ${version} is ${state}`);
      const after = await lab.remains(runId);
      require(after.champion === before.champion && after.jobs.length === 0 && after.endpointStatus === NO_ENDPOINT, 'something is left of the run');
      return `${told}; v${version} is Rejected; ${await soundRun(lab)}`;
    },
  },
  {
    name: 'SmokeTest',
    what: 'a model that answers single rows otherwise than the batch it was judged by',
    lane: 'instances',
    prove: (lab) => failingRelease(lab, async () => lab.ended(await lab.start(serves('batchwise')))),
  },
  {
    name: 'CanaryAlarm',
    what: 'a model that fails in traffic, while the canary is under way: its own alarm, by the metrics of its own configuration',
    lane: 'instances',
    prove: async (lab) => {
      let seen = '';
      const told = await failingRelease(lab, async () => {
        const { result, traffic } = await underTraffic(lab.endpointName, UNSEEN_X, async () => lab.ended(await lab.start(serves('fragile'))));
        seen = `${traffic.failed} of ${traffic.answered + traffic.failed} requests failed`;
        require(traffic.failed > 0, 'no request failed');
        return result;
      });
      return `${seen}; ${told}`;
    },
  },
  {
    name: 'AlarmAfterPromotion',
    what: 'a model that fails in traffic only after its promotion: the alarm of its configuration, by its metrics, brings the version before back',
    lane: 'instances',
    prove: async (lab) => {
      const { registry, runs } = lab.model.platform;
      const before = (await lab.remains('none')).champion;
      const { result: run } = await underTraffic(lab.endpointName, SEEN_X, async () => lab.ended(await lab.start(serves('fragile'))));
      require(run.outcome === 'promoted', `the run ended as ${ended(run)}`);
      const began = Date.now();
      const { result: move, traffic } = await underTraffic(lab.endpointName, UNSEEN_X, () =>
        eventually(
          'the rollback',
          async () => {
            const last = (await registry.history(lab.name)).findLast(({ action }) => action === 'RolledBack');
            return last?.previousChampion === run.version ? last : undefined;
          },
          600,
        ),
      );
      const seconds = Math.round((Date.now() - began) / 1000);
      const [, rollbackRun = ''] = /\(run (\S+)\)$/.exec(move.reason) ?? [];
      const back = await lab.ended(rollbackRun);
      require(back.status === 'FINISHED', `the rollback ended as ${ended(back)}`);
      const serving = await requireServing(lab, back, { outcome: 'rolled-back', version: before, before: run.version });
      const { cause = '' } = await runs.getRun(rollbackRun);
      // What CloudWatch says of its own evaluation; a state that was set by hand carries the words of who set it.
      require(/threshold crossed/i.test(cause), `the cause is not an evaluation: ${cause}`);
      return `after ${seconds} s and ${traffic.failed} failed requests: ${shortened(cause, 240)}; ${serving} again; ${await soundRun(lab)}`;
    },
  },
];
