import * as path from 'node:path';
import type { LocalEngine } from '../../../local/engine';
import { bad, good, metrics, number, state, strong, table } from '../../format';
import type { Io } from '../../io';
import { readHours } from '../bike-data';
import { checkPermissions, DATA, deploy, type DeployOptions } from '../deployed';
import type { Stages } from '../stages';
import type { Told } from '../told';
import { ModelDesk } from './model-desk';
import { SCENARIOS } from './names';
import type { Scenario, ScenarioResult } from './scenario';

/** A scenario on the variant of the app that it needs: told right is only what registry, endpoint and jobs say too. */
export const tellScenario = async (io: Io, stages: Stages, { name, tell }: Scenario, options: DeployOptions): Promise<Told> => {
  const deployed = await deploy(stages, options);
  const desk = new ModelDesk(deployed.platform);
  const outcome = await tell({ ...deployed, stages, desk, hours: readHours(DATA) });
  await checkPermissions(stages, deployed.engine);
  const versions = await desk.versions();
  const result: ScenarioResult = {
    schemaVersion: 1,
    scenario: name,
    stages: stages.done,
    ...outcome,
    versions: versions.map((version) => ({ version: version.version, state: version.state, metrics: version.metrics })),
    champion: (await desk.champion()) ?? null,
  };
  const wrong = outcome.checks.filter(({ ok }) => !ok).map(({ expected, found }) => `not as told: ${expected} (found: ${found})`);
  return { result, summary: summarize(io, result, further(deployed.engine, name, options.keep)), wrong };
};

const summarize = (io: Io, result: ScenarioResult, more: readonly string[]): string => {
  const versions = table(
    io,
    ['version', 'state', 'holdout'],
    result.versions.map(({ version, state: now, metrics: values = {} }) => [`v${version}`, state(io, now), metrics(values)]),
  );
  const seconds = result.stages.reduce((sum, stage) => sum + stage.seconds, 0);
  const { sent, failed } = result.requests;
  return [
    '',
    strong(io, `${result.scenario}: ${SCENARIOS[result.scenario]}`),
    '',
    ...result.checks.flatMap(({ ok, expected, found }) => [`${ok ? good(io, '✓') : bad(io, '✗')} ${expected}`, `    ${found}`]),
    '',
    versions,
    ...result.figures.map(({ what, value, unit }) => `${what}: ${strong(io, `${number(value)} ${unit}`.trim())}`),
    `${sent} requests to the endpoint, ${failed} failed; ${seconds.toFixed(0)} s in all`,
    ...result.files.map((file) => `Report: ${path.relative('', file)}`),
    '',
    ...more,
    '',
  ].join('\n');
};

const further = (engine: LocalEngine, name: string, keep: boolean | undefined): string[] =>
  keep
    ? [
        `The engine is still up (${engine.endpoint}). Look further:`,
        '  npx mlops --local demo runs list BikeDemand',
        '  npx mlops --local demo models show BikeDemand',
        '  npx mlops local stop demo',
      ]
    : [`The same app on AWS: \`npx cdk deploy -c scenario=${name}\`; \`--keep\` leaves the engine up to look further.`];
