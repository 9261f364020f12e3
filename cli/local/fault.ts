import type { Command } from 'commander';
import { type Fault, type FaultEffect, type FaultRule, Faults } from '../../local/faults';
import { UsageError } from '../errors';
import { table } from '../format';
import type { Io } from '../io';
import { emit, jsonOption } from '../options';
import { localEngine } from '../platform';

interface EngineChoice {
  readonly name?: string;
  readonly json?: boolean;
}

interface AddOptions extends EngineChoice {
  readonly on: FaultRule['on'];
  readonly effect: FaultEffect['kind'];
  readonly error?: string;
  readonly message?: string;
  readonly status?: number;
  readonly after?: number;
  readonly afterCheckpoint?: boolean;
  readonly afterRun?: boolean;
  readonly contains?: string;
  readonly skip?: number;
  readonly times?: number;
}

const EFFECTS: readonly FaultEffect['kind'][] = ['error', 'timeout', 'interrupt-spot', 'stop', 'kill', 'fail'];

const THROTTLED = 'ThrottlingException';

const amount = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new UsageError(`${text} is no amount`, 'give a number from 0');
  return value;
};

const oneOf = <T extends string>(choices: readonly T[]) => (text: string): T => {
  if (!choices.includes(text as T)) throw new UsageError(`${text} is not known`, `choose from: ${choices.join(', ')}`);
  return text as T;
};

export const register = (parent: Command, io: Io): void => {
  const fault = parent.command('fault').description('make calls, jobs, deployments and functions of an engine go wrong');
  const engineOption = (command: Command): Command => jsonOption(command.option('--name <engine>', 'which engine'));

  engineOption(
    fault
      .command('add')
      .description('mlops local fault add CreateTrainingJob --effect interrupt-spot --after 2')
      .argument('<operation>', 'operation of SageMaker, or with --on lambda a part of the function name')
      .option('--on <service>', 'sagemaker or lambda', oneOf(['sagemaker', 'lambda'] as const), 'sagemaker')
      .option('--effect <kind>', EFFECTS.join(', '), oneOf(EFFECTS), 'error')
      .option('--error <name>', 'name of the error', THROTTLED)
      .option('--message <text>', 'message of the error')
      .option('--status <number>', 'HTTP status of the error; on lambda it makes Lambda refuse instead of the function', amount)
      .option('--after <seconds>', 'after the work has begun', amount)
      .option('--after-checkpoint', 'counted from the first checkpoint of a training job')
      .option('--after-run', 'the function does its work, only its answer is lost')
      .option('--contains <text>', 'only where a name in the request, or the event of the function, contains it')
      .option('--skip <count>', 'so many calls pass first', amount)
      .option('--times <count>', 'how often, 0 for always', amount),
  ).action(async (operation: string, _, command: Command) => {
    const options = command.optsWithGlobals<AddOptions>();
    const added = await new Faults(localEngine(options.name)).add(ruleOf(operation, options));
    emit(io, options, added, () => `${added.id}: ${describe(added)}\n`);
  });

  engineOption(fault.command('list').description('the rules and how often they struck')).action(async (_, command: Command) => {
    const options = command.optsWithGlobals<EngineChoice>();
    const faults = await new Faults(localEngine(options.name)).list();
    const rows = faults.map((rule) => [rule.id, describe(rule), String(rule.seen), String(rule.hits)]);
    emit(io, options, faults, () => (rows.length ? table(io, ['ID', 'RULE', 'SEEN', 'HITS'], rows) : 'no faults are set\n'));
  });

  engineOption(fault.command('clear').description('remove one rule, or all of them').argument('[id]')).action(
    async (id: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<EngineChoice>();
      const removed = await new Faults(localEngine(options.name)).clear(id);
      emit(io, options, { removed }, () => `removed: ${removed}\n`);
    },
  );
};

function ruleOf(operation: string, options: AddOptions): FaultRule {
  const { on, effect: kind, error, status, after: afterSeconds, afterCheckpoint, afterRun, contains: nameContains, skip, times } = options;
  const message = options.message ?? (error === THROTTLED ? 'Rate exceeded' : `${error} by a fault rule of the local engine`);
  const effect: FaultEffect = kind === 'error' ? { kind, error, message, status, afterRun } : { kind, afterSeconds, afterCheckpoint, afterRun };
  return { on, operation, nameContains, skip, times, effect };
}

function describe({ on, operation, nameContains, skip, times = 1, effect }: Fault): string {
  const what = effect.kind === 'error' ? `${effect.error}${effect.status ? ` (${effect.status})` : ''}` : effect.kind;
  const wait = effect.afterSeconds ? ` after ${effect.afterSeconds} s` : effect.afterRun ? ' after its work' : '';
  const when = effect.afterCheckpoint ? `${wait} after its first checkpoint` : wait;
  const where = nameContains ? ` with "${nameContains}"` : '';
  const count = times === 0 ? 'always' : `${times} time${times === 1 ? '' : 's'}`;
  return `${on} ${operation}${where}: ${what}${when}, ${count}${skip ? `, after ${skip} call${skip === 1 ? '' : 's'}` : ''}`;
}
