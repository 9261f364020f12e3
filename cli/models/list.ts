import type { Command } from 'commander';
import { localTime, metrics, table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform, type Platform } from '../platform';

export const register = (parent: Command, io: Io): void => {
  platformOptions(parent.command('list').description('models of the platform and the version of each that serves')).action(
    async (_, command: Command) => {
      const options = command.optsWithGlobals<PlatformOptions>();
      const rows = await read(await findPlatform(options));
      emit(io, options, rows, () =>
        rows.length === 0
          ? 'no models yet\n'
          : table(
              io,
              ['model', 'serves', 'since', 'metrics', 'serving', 'endpoint'],
              rows.map((row) => [
                row.model,
                row.champion ? `v${row.champion.version}` : 'nothing yet',
                localTime(row.champion?.since),
                metrics(row.champion?.metrics ?? {}),
                row.servingKind === 'SERVERLESS' ? 'serverless' : row.servingKind ? 'instances' : 'removed from the app',
                row.endpointName ?? '-',
              ]),
            ),
      );
    },
  );
};

/** Models of the app, and those that it had once: their versions and history stay. */
async function read(platform: Platform) {
  const names = new Set(platform.models.map(({ model }) => model));
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = await platform.registry.listModels({ cursor });
    page.items.forEach(({ name }) => names.add(name));
    cursor = page.cursor;
  }
  return Promise.all(
    [...names].sort().map(async (model) => {
      const deployed = platform.models.find((candidate) => candidate.model === model);
      const champion = await platform.registry.champion(model);
      return {
        model,
        endpointName: deployed?.endpointName,
        servingKind: deployed?.servingKind,
        champion: champion && { version: champion.version, since: champion.updatedAt, metrics: champion.metrics },
      };
    }),
  );
}
