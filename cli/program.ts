import { readFileSync } from 'node:fs';
import path from 'node:path';
import tab from '@bomb.sh/tab/commander';
import { Command, CommanderError } from 'commander';
import { LocalEngine } from '../local/engine';
import { register as decide } from './approvals/decide';
import { register as approvals } from './approvals/list';
import { register as checkData } from './constraints/check';
import { register as exportConstraints } from './constraints/export';
import { register as importConstraints } from './constraints/import';
import { register as putConstraints } from './constraints/put';
import { register as showConstraints } from './constraints/show';
import { register as suggest } from './constraints/suggest';
import { register as demo } from './demo';
import { register as drift } from './drift/command';
import { explain, UsageError } from './errors';
import { bad } from './format';
import type { Io } from './io';
import { register as putLabels } from './labels/put';
import { register as execute } from './local/exec';
import { register as fault } from './local/fault';
import { register as logs } from './local/logs';
import { register as start } from './local/start';
import { register as localStatus } from './local/status';
import { register as stop } from './local/stop';
import { register as mlflowEnvironment } from './mlflow-env';
import { register as alias } from './models/alias';
import { register as card } from './models/card';
import { register as changeModels } from './models/change';
import { register as compareVersions } from './models/compare';
import { register as exportVersion } from './models/export';
import { register as gate } from './models/gate';
import { register as history } from './models/history';
import { register as importVersion } from './models/import';
import { register as lineage } from './models/lineage';
import { register as listModels } from './models/list';
import { register as rebuild } from './models/rebuild';
import { register as rules } from './models/rules';
import { register as servedAt } from './models/served-at';
import { register as showModel } from './models/show';
import { register as versions } from './models/versions';
import { register as monitorHistory } from './monitor/history';
import { register as runMonitor } from './monitor/run';
import { register as showMonitor } from './monitor/show';
import { platformOptions } from './options';
import { register as predict } from './predict';
import { register as pause } from './retrain/pause';
import { register as request } from './retrain/request';
import { register as resume } from './retrain/resume';
import { register as retrainStatus } from './retrain/status';
import { register as rollback } from './rollback';
import { register as compareRuns } from './runs/compare';
import { register as listRuns } from './runs/list';
import { register as runMetrics } from './runs/metrics';
import { register as resumeRun } from './runs/resume';
import { register as showRun } from './runs/show';
import { register as startRun } from './runs/start';
import { register as stopRun } from './runs/stop';
import { register as watchRun } from './runs/watch';
import { register as search } from './search';
import { register as ui } from './ui';

const GROUPS: readonly { readonly name: string; readonly what: string; readonly commands: readonly ((parent: Command, io: Io) => void)[] }[] = [
  { name: 'local', what: 'engines that stand in for AWS on this machine', commands: [start, stop, localStatus, logs, execute, fault] },
  {
    name: 'models',
    what: 'registered models and their versions',
    commands: [
      listModels,
      showModel,
      versions,
      history,
      compareVersions,
      servedAt,
      lineage,
      alias,
      changeModels,
      rules,
      rebuild,
      importVersion,
      exportVersion,
      card,
      gate,
    ],
  },
  {
    name: 'runs',
    what: 'runs of the training pipelines and of your own code',
    commands: [startRun, watchRun, stopRun, resumeRun, listRuns, showRun, compareRuns, runMetrics],
  },
  { name: 'monitor', what: 'whether data and predictions are still right', commands: [runMonitor, showMonitor, monitorHistory] },
  { name: 'labels', what: 'what really happened', commands: [putLabels] },
  {
    name: 'constraints',
    what: 'rules on the data of a model: what training data and windows are checked by',
    commands: [suggest, showConstraints, checkData, putConstraints, importConstraints, exportConstraints],
  },
  { name: 'retrain', what: 'the governor of retraining', commands: [request, pause, resume, retrainStatus] },
];

export function createProgram(io: Io): Command {
  const program = new Command('mlops')
    .description('The MLOps loop of cdk-mlops from a terminal.')
    .version(version(), '--version', 'print the version of this program')
    .enablePositionalOptions()
    .showHelpAfterError('(add --help for what this command takes)')
    .addHelpText('after', '\nAWS is reached by the standard environment and profiles; --local reaches a running local engine instead.');
  platformOptions(program);
  for (const { name, what, commands } of GROUPS) {
    const group = program.command(name).description(what);
    commands.forEach((register) => register(group, io));
  }
  approvals(program, io);
  decide(program, io);
  drift(program, io);
  predict(program, io);
  rollback(program, io);
  mlflowEnvironment(program, io);
  search(program, io);
  ui(program, io);
  demo(program, io);
  tab(program, { completionCommandName: 'completion' });
  return forEvery(program, (command) => {
    command.exitOverride().configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) });
  });
}

/** Runs one command line and answers the exit code: 0 well, 1 failed, 2 wrongly used. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  try {
    await createProgram(io).parseAsync(
      withoutAmbiguity(args, () => LocalEngine.list().map(({ name }) => name)),
      { from: 'user' },
    );
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { message, fix } = explain(error);
    io.err(`${bad(io, 'error:')} ${message}\n${fix ? `  ${fix}\n` : ''}`);
    if (io.environment.DEBUG) io.err(`${error instanceof Error ? error.stack : String(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** `--local` takes a name only where an engine of that name is known: `models show --local bikes` asks for the model. */
export function withoutAmbiguity(args: readonly string[], engines: () => readonly string[]): string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  return args.map((word, at) => {
    const next = args[at + 1];
    if (word !== '--local' || at >= end || next === undefined || next.startsWith('-') || engines().includes(next)) return word;
    return '--local=';
  });
}

function forEvery(command: Command, action: (command: Command) => void): Command {
  action(command);
  command.commands.forEach((child) => forEvery(child, action));
  return command;
}

function version(): string {
  for (const up of ['..', '../..']) {
    try {
      const { name, version } = JSON.parse(readFileSync(path.join(__dirname, up, 'package.json'), 'utf8')) as { name: string; version: string };
      if (name === 'cdk-mlops') return version;
    } catch {
      // Not there: one directory further up.
    }
  }
  return 'unknown';
}
