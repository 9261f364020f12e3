import type { Command } from 'commander';
import { LocalEngine } from '../../local/engine';
import { type EngineState, endpointOf, isUp } from '../../local/engine-state';
import { fields, localTime, state as painted } from '../format';
import type { Io } from '../io';
import { emit, jsonOption } from '../options';

export const register = (parent: Command, io: Io): void => {
  jsonOption(parent.command('status').description('engines that run, and how the others ended').argument('[name]')).action(
    async (name: string | undefined, _, command: Command) => {
      const states = LocalEngine.list().filter((state) => name === undefined || state.name === name);
      const rows = states.map(({ name, status, port, pid, startedAt, endedAt, reason, directory, ...state }) => ({
        name,
        status,
        endpoint: isUp({ status } as EngineState) ? endpointOf({ port } as EngineState) : undefined,
        pid,
        region: state.region,
        startedAt,
        endedAt,
        reason,
        logsDirectory: directory,
      }));
      emit(io, command.optsWithGlobals(), rows, () => {
        if (rows.length === 0) return name ? `no engine "${name}" is known\n` : 'no engine is known: start one with `mlops local start`\n';
        return rows
          .map((row) =>
            fields(io, {
              engine: row.name,
              status: painted(io, row.status),
              endpoint: row.endpoint,
              started: localTime(row.startedAt),
              ended: row.endedAt && localTime(row.endedAt),
              because: row.reason?.split('\n')[0],
              logs: row.logsDirectory,
            }),
          )
          .join('\n');
      });
    },
  );
};
