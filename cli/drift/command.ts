import { type Command, Option } from 'commander';
import { UsageError } from '../errors';
import type { Io } from '../io';
import type { Format } from './table';
import { TASKS, type TaskName } from './task';

export interface DriftOptions {
  readonly format?: Format;
  readonly referenceFormat?: Format;
  readonly output?: string;
  readonly referenceOutput?: string;
  readonly columns?: readonly string[];
  readonly time?: string;
  readonly target?: string;
  readonly prediction?: string;
  readonly groups?: readonly string[];
  readonly task?: TaskName;
  readonly positive?: string;
  readonly window?: number;
  readonly minimumRows: number;
  readonly falseAlarms: number;
  readonly features?: number;
  readonly report?: string;
  readonly json?: string | true;
  readonly local?: string | true;
}

const FORMATS = ['csv', 'jsonl', 'capture', 'parquet', 'transform'];

const HELP = `
REFERENCE and CURRENT are files, directories, or S3 prefixes (s3://bucket/prefix). Formats are told by names and first lines. In a directory where
x.csv.out lies beside x.csv, or with --output, the data are those of a batch transform: rows are compared with their predictions.
Exit code 0: no drift; 3: drift; 4: too little data for a verdict; 1: failed; 2: wrongly used.

With --time the reference is cut into blocks of the window's length, without it into blocks of consecutive rows. Half of the blocks fit the score,
the other half tells how large it becomes without a change; with fewer than 10 of them the result is for information, and the exit code 4.`;

export const register = (parent: Command, io: Io): void => {
  parent
    .command('drift')
    .description('compare data with a reference: distributions, missing and unseen values, on files or in S3')
    .argument('<reference>', 'what is usual: training data, or earlier requests')
    .argument('<current>', 'what is to be judged')
    .addOption(new Option('--format <format>', 'of both sides, where it is not to be told by names and first lines').choices(FORMATS))
    .addOption(new Option('--reference-format <format>', 'of the reference, where it differs').choices(FORMATS))
    .option('--output <place>', 'where a batch transform wrote its predictions, if not beside its inputs: x.csv.out for x.csv')
    .option('--reference-output <place>', 'the same of a reference that is a batch transform')
    .option('--columns <names>', 'columns of requests and transforms in their order (those of the reference without target and prediction)', listed)
    .option('--time <column>', 'time of each row (ISO 8601)')
    .option('--target <column>', 'truth; with --prediction quality is measured, too')
    .option('--prediction <column>', "the model's answer: compared like a feature")
    .option('--groups <columns>', 'columns that tell groups: quality is measured by them, too', listed)
    .addOption(new Option('--task <task>', 'what is predicted, where the values leave it open').choices(Object.keys(TASKS)))
    .option('--positive <label>', 'value of the target that counts as positive')
    .option('--window <length>', "for example 1d, 7d or 6h (the current data's own length); several are judged one by one", windowSeconds)
    .option('--minimum-rows <number>', 'fewer rows than this are no verdict', wholeNumber, 100)
    .option('--false-alarms <share>', 'accepted share of comparisons without a change that say drift', probability, 0.01)
    .option('--features <number>', 'how many features to list, besides those that drifted', wholeNumber)
    .option('--report <file>', 'write a report as one HTML file')
    .option('--json [file]', 'write the result as JSON, to standard output where no file is named')
    .option('--local [engine]', 's3:// is the one of a running local engine')
    .addHelpText('after', HELP)
    .action(async (reference: string, current: string, options: DriftOptions) => {
      // Loaded on demand: no other command needs the readers.
      const { runDrift } = await import('./run');
      process.exitCode = await runDrift(io, reference, current, options);
    });
};

const listed = (text: string): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

function windowSeconds(text: string): number {
  const [, count, unit] = /^(\d+)\s*([hd])$/.exec(text) ?? [];
  const [number, isHours] = [Number(count), unit === 'h'];
  if (unit === 'd' && number >= 1 && number <= 31) return number * 86_400;
  if (isHours && [1, 2, 3, 4, 6, 8, 12].includes(number)) return number * 3600;
  if (isHours && number === 24) return 86_400;
  throw new UsageError(`--window ${text} is no length of a window`, 'write 1h, 2h, 3h, 4h, 6h, 8h or 12h, or whole days from 1d to 31d');
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new UsageError(`"${text}" is no whole number from 1`);
}

function probability(text: string): number {
  const value = text.trim().endsWith('%') ? Number(text.trim().slice(0, -1)) / 100 : Number(text);
  if (value > 0 && value <= 0.5) return value;
  throw new UsageError(`--false-alarms ${text} is no share above 0 and up to 0.5`, 'for example 0.01, or 1%');
}
