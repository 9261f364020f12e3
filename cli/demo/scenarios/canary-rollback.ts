import { setTimeout as sleep } from 'node:timers/promises';
import { rollbackAlarmName } from '../../../lib/serving/contract';
import { hoursOf } from '../bike-data';
import { alarmOf, DeploymentWatch } from './deployment-watch';
import { LiveTraffic } from './live-traffic';
import { check, endOf, type Outcome, type Scene } from './scenario';

/** A day with an hour of weather 4 (storm), which no row of the candidate's training data has. */
const STORM = '2012-01-09';
/** The candidate knows values of the weather by name, those of the last half year. */
const CANDIDATE = { categorical: 'weathersit', 'last-days': '180' };
/** How long clients go on before and after the deployment. */
const AROUND_MS = 1_500;

const seconds = (from: number | undefined, to: number | undefined): number => Math.round(((to ?? NaN) - (from ?? NaN)) / 100) / 10;
const share = ({ sent, failed }: { readonly sent: number; readonly failed: number }): number => Math.round((1000 * failed) / Math.max(1, sent)) / 10;

export const canaryRollback = async ({ stages, desk, hours, platform }: Scene): Promise<Outcome> => {
  await desk.upload('2011', hours.filter(({ timestamp }) => timestamp < '2011-12-01'));
  const first = await stages.run('first version', (line) => desk.run('first version from the data up to November', line));
  const served = await desk.endpoint();

  await desk.upload('2011-12', hoursOf(hours, '2011-12'));
  const traffic = new LiveTraffic(platform, hoursOf(hours, STORM));
  const { run, seen } = await stages
    .run('fragile candidate', async (line) => {
      const watch = new DeploymentWatch(desk, line);
      const run = await desk.run('data of December; the weather as names of the last 180 days', line, { hyperparameters: CANDIDATE });
      await sleep(AROUND_MS);
      return { run, seen: await watch.stop() };
    })
    .finally(() => traffic.stop());

  const gate = await desk.gate(run.runId);
  const live = await desk.endpoint();
  const name = rollbackAlarmName(seen.configuration ?? '', 'errors');
  const alarm = await alarmOf(desk, name);
  const champion = await desk.champion();
  const [began = NaN, ended = NaN] = [seen.began, seen.ended];
  const [before, during, after] = [traffic.between(0, began), traffic.between(began, ended), traffic.between(ended, Infinity)];
  const firstFailed = traffic.answers.find(({ ok }) => !ok)?.at;
  // The alarm's own time has no fractions.
  const detection = Math.max(0, seconds(firstFailed, alarm?.at));
  const { sent, failed } = traffic.between(0, Infinity);
  const counted = (of: typeof before): string => `${of.failed} of ${of.sent} requests failed (${share(of)} %)`;
  return {
    checks: [
      check('the first version serves', first.outcome === 'promoted', endOf(first)),
      check('the candidate passes the gate: its holdout has no storm', gate.passed, gate.reason),
      check('the run ends as ReleaseFailed', run.error?.name === 'ReleaseFailed', endOf(run)),
      check('the canary\'s own alarm went off', alarm !== undefined, alarm && `${name} at ${new Date(alarm.at).toISOString()}: ${alarm.reason}`),
      check('traffic went back', seen.ended !== undefined && live.EndpointConfigName === served.EndpointConfigName, live.EndpointConfigName),
      check('the endpoint serves', live.EndpointStatus === 'InService', live.EndpointStatus),
      check('the champion is the version before', champion === 1, `v${champion}`),
      check('before the canary clients saw no failure', before.sent > 0 && before.failed === 0, counted(before)),
      check(
        'during the canary some requests failed, and no more than its share',
        during.failed > 0 && during.failed < 0.25 * during.sent,
        `${counted(during)}: ${traffic.firstFailure}`,
      ),
      check('after it clients saw no failure', after.sent > 0 && after.failed === 0, counted(after)),
    ],
    figures: [
      { name: 'detectionSeconds', value: detection, unit: 's', what: 'First failed request to the alarm' },
      { name: 'exposureSeconds', value: seconds(firstFailed, ended), unit: 's', what: 'First failed request until all traffic was back' },
      { name: 'failedDuringCanary', value: share(during), unit: '%', what: 'Requests that failed during the canary' },
      { name: 'failedShare', value: share({ sent, failed }), unit: '%', what: 'Requests that failed in all' },
    ],
    files: [],
    requests: { sent, failed },
  };
};
