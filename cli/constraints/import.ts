import type { Command } from 'commander';
import { constraintsText } from '../../lambda/monitoring/constraints/file';
import {
  ConstraintsSchema,
  fromModelMonitor,
  fromStatistics,
  fromViolations,
  readDocument,
  StatisticsSchema,
  ViolationsSchema,
} from '../../lambda/monitoring/constraints/model-monitor';
import { suggestConstraints } from '../../lambda/monitoring/constraints/suggest';
import type { ConstraintFile } from '../../lambda/monitoring/constraints/types';
import type { ConstraintViolation } from '../../lib/monitoring/contract';
import { CliError } from '../errors';
import { type Io, readInput } from '../io';
import { write } from '../models/export';
import { jsonOption } from '../options';

interface Options {
  readonly model: string;
  readonly violations?: string;
  readonly output?: string;
  readonly json?: boolean;
}

export const register = (parent: Command, io: Io): void => {
  jsonOption(
    parent
      .command('import')
      .description('rules from SageMaker Model Monitor: a constraints.json as it is, or what a statistics.json suggests')
      .argument('<file>', 'constraints.json or statistics.json; - for standard input')
      .requiredOption('--model <name>', 'model that the rules are for')
      .option('--violations <file>', 'constraint_violations.json of its last run: tells which rules were broken then')
      .option('--output <file>', 'write it to a file')
      .addHelpText('after', '\nWhat has no counterpart is told on standard error. Store the result with `mlops constraints put`.'),
  ).action(async (name: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const { file, lost } = translate(parse((await readInput(io, name)).toString('utf8'), name), name, options.model);
    const broken = options.violations === undefined ? undefined : await violationsOf(io, options.violations);
    write(io, options.output, options.json ? `${JSON.stringify({ constraints: file, lost, broken }, null, 2)}\n` : constraintsText(file));
    for (const item of lost) io.err(`not taken over: ${item}\n`);
    for (const { feature, constraint, description } of broken ?? []) io.err(`was broken: ${feature}: ${constraint}: ${description}\n`);
  });
};

/** What Model Monitor found last: such a rule would be broken here too, unless it is edited before it is stored. */
const violationsOf = async (io: Io, name: string): Promise<ConstraintViolation[]> =>
  fromViolations(readDocument(ViolationsSchema, parse((await readInput(io, name)).toString('utf8'), name), name));

function translate(document: unknown, name: string, model: string): { readonly file: ConstraintFile; readonly lost: readonly string[] } {
  if ((document as { readonly dataset?: unknown } | null)?.dataset === undefined) {
    const { document: file, lost } = fromModelMonitor(readDocument(ConstraintsSchema, document, name), model);
    return { file, lost };
  }
  const { rows, features, lost } = fromStatistics(readDocument(StatisticsSchema, document, name));
  const origin = `${rows.toLocaleString('en-US')} rows of SageMaker Model Monitor's statistics.json`;
  return { file: suggestConstraints({ model, origin, rows, columns: features.map((feature) => feature.name), features }), lost };
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliError(`${name} is not JSON: ${(error as Error).message}`, 'name a file of Model Monitor');
  }
}
