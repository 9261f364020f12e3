import type { Command } from 'commander';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { inForce } from './stored';
import { constraintsText } from './words';

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('show')
      .description('rules on the data of a model that runs and monitor go by: the stored file, else what the baseline suggests; ! marks errors')
      .argument('<model>'),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<PlatformOptions>();
    const found = await inForce(await findPlatform(options), model);
    const { file, source, versionId } = found;
    emit(io, options, found, () => constraintsText(io, file, { source, 'version id': versionId }));
  });
};
