import type { ModelVersion } from '../../lib/registry/contract';
import type { LocalEngine } from '../../local/engine';
import type { Io } from '../io';
import type { Platform } from '../platform';
import { readHours } from './bike-data';
import { askEngine, checkPermissions, DATA, deploy, type DeployOptions, MODEL, saveReport } from './deployed';
import type { DemoResult } from './result';
import type { Stages } from './stages';
import { MONTHS, Story } from './story';
import { summarize } from './summary';
import type { Told } from './told';

/** Once around the loop, month by month. */
export const tellLoop = async (io: Io, stages: Stages, options: DeployOptions): Promise<Told> => {
  const { engine, platform } = await deploy(stages, options);
  const hours = readHours(DATA);
  const story = new Story(platform, MODEL, hours);
  await stages.run('first version', (line) => story.firstVersion(line));
  for (const month of MONTHS) {
    const started = await stages.run(month, (line) => story.month(month, line));
    if (started) await stages.run(`retraining after ${month}`, (line) => story.whileRunning(started, line));
  }
  const months = await stages.run('review', () => story.review());
  await checkPermissions(stages, engine);
  const versions = await allVersions(platform);
  const result: DemoResult = {
    schemaVersion: 1,
    stages: stages.done,
    versions: versions.map(({ version, metrics, state, cause }) => ({ version, metrics, state, cause })),
    months,
    governor: (await story.decisions()).map(({ decision, cause, at, reason }) => ({ decision, cause: cause.summary, at, reason })),
    awsCalls: await askEngine<Record<string, number>>(engine, 'calls'),
    endpointRequests: story.client.requests,
    endpointFailures: story.client.failures,
    report: await saveReport(platform, story.report?.reportUri as string, 'drift-report.html'),
  };
  const failed = result.endpointFailures;
  const wrong = failed > 0 ? [`${failed} requests to the endpoint failed`] : [];
  return { result, summary: summarize(io, result, further(engine, options.keep)), wrong };
};

const allVersions = async (platform: Platform): Promise<ModelVersion[]> => {
  const { items } = await platform.registry.listVersions(MODEL, { limit: 100 });
  return [...items].sort((a, b) => a.version - b.version);
};

const further = (engine: LocalEngine, keep: boolean | undefined): string[] =>
  keep
    ? [
        `The engine is still up (${engine.endpoint}). Look further:`,
        '  npx mlops --local demo models show BikeDemand',
        '  npx mlops --local demo runs list BikeDemand',
        '  npx mlops --local demo retrain status BikeDemand',
        '  npx mlops local stop demo',
      ]
    : ['`npm run demo -- --keep` leaves the engine up to look further with `npx mlops --local demo models show BikeDemand`.'];
