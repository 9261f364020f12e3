import type { Command } from 'commander';
import { gatePageUri } from '../../lib/artifacts/contract';
import type { HistoryEntry, ModelVersion } from '../../lib/registry/contract';
import { RELEASE_TAG } from '../../lib/serving/contract';
import { versionNumber } from '../arguments';
import { fields, localTime, metrics, shorten, state, strong, table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

interface Options extends PlatformOptions {
  readonly version?: number;
}

const LISTED_VERSIONS = 20;
const LISTED_CHANGES = 10;

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('show')
      .description('versions of a model and how they came to serve; one version in full with --version')
      .argument('<model>')
      .option('--version <number>', 'everything recorded about this version', versionNumber),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const { registry } = await findPlatform(options);
    if (options.version !== undefined) {
      const version = await registry.getVersion(model, options.version);
      emit(io, options, version, () => showVersion(io, version));
      return;
    }
    const [{ items: versions }, champion, history] = await Promise.all([
      registry.listVersions(model, { limit: LISTED_VERSIONS }),
      registry.champion(model),
      registry.history(model),
    ]);
    const data = { model, champion: champion?.version, versions, history };
    emit(io, options, data, () => showModel(io, model, champion, versions, history));
  });
};

function showModel(
  io: Io,
  model: string,
  champion: ModelVersion | undefined,
  versions: readonly ModelVersion[],
  history: readonly HistoryEntry[],
): string {
  const serves = champion ? `v${champion.version} since ${localTime(champion.updatedAt)}` : 'nothing yet';
  const changes = history.slice(-LISTED_CHANGES).reverse();
  return [
    fields(io, { model, serves }),
    table(
      io,
      ['version', 'state', 'made', 'metrics', 'cause'],
      versions.map((one) => [
        `v${one.version}`,
        one.tags[RELEASE_TAG]?.startsWith('failed') ? `${state(io, one.state)}, release failed` : state(io, one.state),
        localTime(one.createdAt),
        metrics(one.metrics ?? {}),
        shorten(one.cause ?? one.source, 70),
      ]),
    ),
    `${strong(io, 'last changes')}\n${table(
      io,
      ['when', 'version', 'change', 'by', 'reason'],
      changes.map((entry) => [
        localTime(entry.at),
        entry.version === undefined ? '' : `v${entry.version}`,
        entry.action,
        shorten(entry.actor, 40),
        shorten(entry.reason, 70),
      ]),
    )}`,
  ].join('\n');
}

function showVersion(io: Io, version: ModelVersion): string {
  const { code, gate, schema } = version;
  const about = fields(io, {
    model: version.model,
    version: `v${version.version}`,
    state: state(io, version.state),
    made: localTime(version.createdAt),
    changed: localTime(version.updatedAt),
    cause: version.cause,
    run: version.runId,
    gate: gate && `${gate.passed ? 'passed' : 'not passed'}: ${gate.reason}`,
    release: version.tags[RELEASE_TAG],
    'gate report': gate?.reportUri,
    'gate page': gate && gatePageUri(gate.reportUri),
    artifact: version.artifact?.uri,
    'artifact sha256': version.artifact?.sha256,
    data: version.dataManifestUri,
    'data id': version.dataId,
    code: code && `${code.uri} (${code.entryPoint})`,
    'code sha256': code?.sha256,
    commit: code?.commit && `${code.commit}${code.dirty ? ' with changes that it does not hold' : ''}`,
    image: version.image,
    baseline: version.baselineUri,
    'SageMaker model': version.sagemakerModelName,
    target: schema?.target,
    columns: schema?.columns.map(({ name, type }) => `${name} (${type})`).join(', '),
  });
  const pairs = (title: string, values: Readonly<Record<string, unknown>>): string =>
    `\n${strong(io, title)}\n${fields(io, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)])))}`;
  return about + pairs('metrics', version.metrics ?? {}) + pairs('hyperparameters', version.hyperparameters ?? {});
}
