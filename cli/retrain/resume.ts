import type { Command } from 'commander';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

export const register = (parent: Command, io: Io): void => {
  platformOptions(parent.command('resume').description('take a pause back').argument('<model>')).action(
    async (model: string, _, command: Command) => {
      const options = command.optsWithGlobals<PlatformOptions>();
      const platform = await findPlatform(options);
      platform.model(model);
      const { paused: before } = await platform.governor.state(model);
      await platform.governor.resume(model);
      const text = before ? `retraining of ${model} is no longer paused` : `retraining of ${model} was not paused`;
      emit(io, options, { model, wasPaused: before !== undefined }, () => `${text}\n`);
    },
  );
};
