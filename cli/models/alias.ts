import type { Command } from 'commander';
import { versionNumber } from '../arguments';
import { UsageError } from '../errors';
import { table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

interface Options extends PlatformOptions {
  readonly delete?: boolean;
}

const PATH = '/api/2.0/mlflow/registered-models/alias';

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('alias')
      .description('aliases of a model; with a name and a version: set one')
      .argument('<model>')
      .argument('[alias]')
      .argument('[version]', 'for example 3', versionNumber)
      .option('--delete', 'take the alias away'),
  ).action(async (model: string, alias: string | undefined, version: number | undefined, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    if (options.delete ? alias === undefined || version !== undefined : alias !== undefined && version === undefined) {
      throw new UsageError('an alias needs a version, and --delete an alias alone', `mlops models alias ${model} ${alias ?? 'NAME'} 3`);
    }
    const { api, registry } = await findPlatform(options);
    if (options.delete) await api.call('DELETE', PATH, { name: model, alias });
    else if (alias !== undefined) await api.call('POST', PATH, { name: model, alias, version: String(version) });
    const { aliases } = await registry.getModel(model);
    emit(io, options, aliases, () => {
      const rows = Object.entries(aliases).map(([name, number]) => [name, `v${number}`]);
      return rows.length === 0 ? `${model} has no aliases\n` : table(io, ['alias', 'version'], rows);
    });
  });
};
