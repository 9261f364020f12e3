import { hoursOf, type Hour } from '../bike-data';
import { DemoClient } from '../client';
import { MODEL, saveReport } from '../deployed';
import { check, endOf, type Outcome, type Scene } from './scenario';

/** The counts of a time zone that was applied twice. */
const HOURS_OFF = 8;
/** The days after it was repaired are the holdout: the truth that a candidate is judged by is sound. */
const REPAIRED = '2012-01-18';

/** The same hours, each with the count of an earlier one. */
const offByHours = (hours: readonly Hour[]): Hour[] =>
  hours.map((hour, index) => ({ ...hour, count: hours[(index + hours.length - HOURS_OFF) % hours.length].count }));

export const badCandidate = async ({ stages, desk, hours, platform }: Scene): Promise<Outcome> => {
  const client = new DemoClient(platform, MODEL);
  const february = hoursOf(hours, '2012-02-01');

  await desk.upload('2011', hoursOf(hours, '2011'));
  const first = await stages.run('first version', (line) => desk.run('first version from the data of 2011', line));
  const before = await client.predict(february);

  const january = hoursOf(hours, '2012-01');
  const broken = january.filter(({ timestamp }) => timestamp < REPAIRED);
  const sound = january.filter(({ timestamp }) => timestamp >= REPAIRED);
  await desk.upload('2012-01', [...offByHours(broken), ...sound]);
  const run = await stages.run('bad candidate', (line) => desk.run(`data of January, counts before ${REPAIRED} off by ${HOURS_OFF} hours`, line));
  const after = await client.predict(february);

  const candidate = await desk.version(2);
  const page = await saveReport(platform, desk.gatePage(run.runId), 'gate.html');
  const champion = await desk.champion();
  const { EndpointConfigName = '', EndpointStatus } = await desk.endpoint();
  const gate = await desk.gate(run.runId);
  return {
    checks: [
      check('the first version serves', first.outcome === 'promoted', endOf(first)),
      check('the gate refuses the candidate, and its run ends so', run.outcome === 'rejected', endOf(run)),
      check('its report says why', !gate.passed && gate.reason !== '', gate.reason),
      check('the registry has it as Rejected', candidate.state === 'Rejected', candidate.state),
      check('the champion is the version before', champion === 1, `v${champion}`),
      check('the endpoint runs it', /-v1-/.test(EndpointConfigName) && EndpointStatus === 'InService', `${EndpointConfigName}, ${EndpointStatus}`),
      check(
        'clients get the same answers as before',
        before.length === february.length && before.join() === after.join(),
        `${after.length} predictions, ${before.filter((value, index) => value !== after[index]).length} of them differ`,
      ),
    ],
    figures: [
      { name: 'championRmse', value: run.metrics['champion.rmse'] ?? NaN, unit: 'rentals', what: 'RMSE of the champion on the holdout' },
      { name: 'candidateRmse', value: candidate.metrics?.rmse ?? NaN, unit: 'rentals', what: 'RMSE of the candidate on the same rows' },
    ],
    files: [page],
    requests: { sent: client.requests, failed: client.failures },
  };
};
