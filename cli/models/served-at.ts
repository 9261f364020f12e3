import type { Command } from 'commander';
import { moment } from '../arguments';
import { fields, localTime, metrics } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('served-at')
      .description('the version that served at a moment')
      .argument('<model>')
      .argument('<time>', 'ISO 8601; without an offset, local time', moment),
  ).action(async (model: string, time: string, _, command: Command) => {
    const options = command.optsWithGlobals<PlatformOptions>();
    const { registry } = await findPlatform(options);
    const number = await registry.servedAt(model, time);
    const version = number === undefined ? undefined : await registry.getVersion(model, number);
    emit(io, options, { model, time, version: number ?? null, run: version?.runId ?? null, artifact: version?.artifact ?? null }, () =>
      version === undefined
        ? `nothing served at ${localTime(time)}\n`
        : fields(io, {
            at: localTime(time),
            served: `${model} v${version.version}`,
            run: version.runId,
            metrics: metrics(version.metrics ?? {}),
            artifact: version.artifact?.uri ?? version.source,
            'artifact sha256': version.artifact?.sha256,
            data: version.dataId,
            commit: version.code?.commit,
          }),
    );
  });
};
