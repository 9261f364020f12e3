import path from 'node:path';
import { readBatchJoined, readBatchPairs } from '../../lambda/monitoring/readers/batch';
import { csvHeader } from '../../lambda/monitoring/readers/csv';
import type { Rejections } from '../../lambda/monitoring/rejections';
import type { RequestSink } from '../../lambda/monitoring/rows';
import { CliError, UsageError } from '../errors';
import { beginning, counted, named } from './formats';
import type { SourceFile } from './sources';

/** Input and output of a batch transform: SageMaker answers the lines of `x.csv` in `x.csv.out`, below the prefix of its output. */

/** A file of a batch transform with its answers; without them it holds both, as `JoinSource: Input` writes them. */
export interface TransformFile extends SourceFile {
  readonly answers?: SourceFile;
}

const OUT = '.out';
const isOut = ({ name }: SourceFile): boolean => name.endsWith(OUT);

/** Whether some of the files answer others that lie beside them. */
export function hasAnswers(files: readonly SourceFile[]): boolean {
  const names = new Set(files.map(({ name }) => name));
  return files.some((file) => isOut(file) && names.has(file.name.slice(0, -OUT.length)));
}

/** Inputs with their outputs, by their names below each place; where there are outputs alone, these. */
export function pairsOf(place: string, files: readonly SourceFile[], outputPlace = place, outputs = files): TransformFile[] {
  const inputs = files.filter((file) => !isOut(file));
  const answers = outputs.filter(isOut);
  if (inputs.length === 0) return [...files];
  const byName = new Map(answers.map((file) => [below(outputPlace, file.name), file]));
  const unanswered = inputs.filter(({ name }) => !byName.has(`${below(place, name)}${OUT}`));
  if (unanswered.length > 0) {
    const many = `${unanswered.length} of ${inputs.length} inputs below ${place} have no output`;
    throw new CliError(`${many}: ${unanswered[0].name}`, `outputs are named like their inputs, with ${OUT} behind: name their place with --output`);
  }
  return inputs.map((input) => {
    const output = byName.get(`${below(place, input.name)}${OUT}`)!;
    return { ...input, bytes: input.bytes + output.bytes, answers: output };
  });
}

/** Name of a file below a directory or a prefix; of a place that is the file itself, its last part. */
const below = (place: string, name: string): string => {
  const part = name.slice(place.length).replace(/^\/+/, '');
  return name === place || name === `${place}${OUT}` || part === '' ? path.posix.basename(name) : part;
};

const PEEKED_BYTES = 1024 * 1024;

interface Layout {
  readonly format: 'csv' | 'jsonl';
  /** Columns that the first line names. */
  readonly header?: readonly string[];
}

/** How an input is written. Containers take rows without a header; where the first line holds nothing but names, it is one. */
async function layoutOf(file: SourceFile, known: readonly string[] | undefined): Promise<Layout> {
  const bytes = await beginning(file, PEEKED_BYTES);
  if (isJson(bytes)) return { format: 'jsonl' };
  const first = csvHeader(bytes, file.name)?.columns;
  const isHeader = first?.every((name) => (known === undefined ? name.trim() !== '' && Number.isNaN(Number(name)) : known.includes(name)));
  return { format: 'csv', ...(first && isHeader && { header: first }) };
}

const isJson = (bytes: Buffer): boolean => /^[\s\uFEFF]*[[{]/.test(bytes.subarray(0, 1024).toString());

/** Columns of the first input, where it names them. */
export async function transformColumns(file: TransformFile): Promise<readonly string[]> {
  const { header } = await layoutOf(file, undefined);
  if (header !== undefined) return header;
  throw new UsageError(`${file.name} names no columns`, 'name those of the inputs with --columns a,b,c in their order');
}

/** Rows of a file, each with its prediction. `sinkOf` makes what takes rows of columns in a file's own order. */
export async function readTransform(
  file: TransformFile,
  columns: readonly string[],
  sinkOf: (columns: readonly string[]) => RequestSink,
  progress: (bytes: number) => void,
  rejections: Rejections,
): Promise<void> {
  const where = file.name;
  const head = { eventId: where, inferenceId: where, time: 0 };
  if (file.answers === undefined) {
    await readBatchJoined(counted(file.chunks(), progress), { where, head, columns }, sinkOf(columns), rejections);
    return;
  }
  const { format: inputFormat, header } = await layoutOf(file, columns);
  const lacking = columns.filter((name) => header !== undefined && !header.includes(name));
  if (lacking.length > 0) throw new CliError(`${where} lacks the columns ${named(lacking)}`, 'name those that are there with --columns');
  const outputFormat = isJson(await beginning(file.answers, PEEKED_BYTES)) ? 'jsonl' : 'csv';
  const pair = { where, head, inputFormat, outputFormat, columns: header ?? columns, header: header !== undefined } as const;
  const [input, output] = [file, file.answers].map((one) => counted(one.chunks(), progress));
  await readBatchPairs(input, output, pair, sinkOf(pair.columns), rejections);
}
