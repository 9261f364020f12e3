import type { Command } from 'commander';
import type { ModelVersion } from '../../lib/registry/contract';
import { versionNumber } from '../arguments';
import { atLeastTwo, compare, renderComparison } from '../compare';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('compare')
      .description('versions of a model side by side: metrics, hyperparameters, data, code')
      .argument('<model>')
      .argument('<versions...>', 'two or more, for example 1 2'),
  ).action(async (model: string, texts: readonly string[], _, command: Command) => {
    const options = command.optsWithGlobals<PlatformOptions>();
    const numbers = texts.map(versionNumber);
    atLeastTwo('version', numbers);
    const { registry } = await findPlatform(options);
    const versions = await Promise.all(numbers.map((number) => registry.getVersion(model, number)));
    const comparison = compare(
      versions.map(({ version }) => `v${version}`),
      {
        metric: versions.map(({ metrics = {} }) => metrics),
        hyperparameter: versions.map(({ hyperparameters = {} }) => hyperparameters),
        record: versions.map(recorded),
      },
    );
    emit(io, options, comparison, () => renderComparison(io, comparison));
  });
};

const recorded = (version: ModelVersion) => ({
  state: version.state,
  data: version.dataId?.slice(0, 12),
  'code commit': version.code?.commit?.slice(0, 12),
  'code sha256': version.code?.sha256.slice(0, 12),
  image: version.image?.split('/').at(-1),
  'artifact sha256': version.artifact?.sha256.slice(0, 12),
  columns: version.schema?.columns.length,
});
