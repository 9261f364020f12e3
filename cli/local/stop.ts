import type { Command } from 'commander';
import { LocalEngine } from '../../local/engine';
import { isUp } from '../../local/engine-state';
import { CliError } from '../errors';
import type { Io } from '../io';
import { emit, jsonOption } from '../options';

interface Options {
  readonly all?: boolean;
  readonly json?: boolean;
}

export const register = (parent: Command, io: Io): void => {
  const described = parent.command('stop').description('end an engine with all its processes').argument('[name]');
  jsonOption(described.option('--all', 'every engine that no other command holds')).action(
    async (name: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      // Engines that a running command holds end with it; by accident nobody shall end them under it.
      const up = LocalEngine.list().filter((state) => isUp(state) && !state.attached).map((state) => state.name);
      const wanted = options.all ? up : [name ?? (up.length === 1 ? up[0] : 'default')];
      for (const one of wanted) {
        const engine = LocalEngine.find(one);
        if (!engine) throw new CliError(`no engine "${one}" is running`, up.length ? `running are: ${up.join(', ')}` : 'there is nothing to stop');
        await engine.stop();
      }
      emit(io, options, { stopped: wanted }, () => (wanted.length ? `stopped: ${wanted.join(', ')}\n` : 'no engine is running\n'));
    },
  );
};
