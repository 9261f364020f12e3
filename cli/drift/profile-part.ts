import { decodeProfile, encodeProfile } from '../../lambda/monitoring/profile';
import type { WatchedFeature } from '../../lambda/monitoring/profile/types';
import { readCapture } from '../../lambda/monitoring/readers/capture';
import { CaptureStats } from '../../lambda/monitoring/readers/capture-stats';
import { readCsvRows } from '../../lambda/monitoring/readers/csv';
import { fileChunks } from '../../lambda/monitoring/readers/file';
import { readJsonLines } from '../../lambda/monitoring/readers/json-lines';
import { Rejections } from '../../lambda/monitoring/rejections';
import type { Cell, Chunks, TextRow } from '../../lambda/monitoring/rows';
import type { WindowCut, WindowProfile } from './window-profiles';
import { WindowProfiles } from './window-profiles';

/** What all parts of one table have in common. */
export interface PartTask {
  readonly format: 'csv' | 'jsonl' | 'capture';
  /** Columns of a row; features and time are named by their index here. */
  readonly columns: readonly string[];
  readonly features: readonly WatchedFeature[];
  readonly cut?: WindowCut;
}

/** Bytes of a file whose rows are counted on their own: of a CSV file behind its header, of other files those lines that begin there. */
export interface Part {
  readonly file: number;
  readonly path: string;
  readonly name: string;
  /** Columns of this file in its own order; they may stand in another order than the table's. */
  readonly fileColumns: readonly string[];
  readonly offset: number;
  readonly length: number;
  /** The part begins with the rest of a line that belongs to the part before. */
  readonly skipFirstPartialLine: boolean;
}

/** Counters of a part, as they travel between threads. */
export interface PartAnswer {
  readonly file: number;
  readonly windows: readonly { readonly start?: number; readonly bytes: Uint8Array }[];
  readonly rejected: Readonly<Record<string, number>>;
  readonly samples: Readonly<Record<string, string>>;
  /** Void: the file was cut between quotes and must be read as one part. */
  readonly quotedNewline: boolean;
}

export async function profilePart(task: PartTask, part: Part, onBytes: (bytes: number) => void): Promise<PartAnswer> {
  const rejections = new Rejections();
  const watched = inFile(task, part);
  const windows = new WindowProfiles(watched.features, watched.cut, part.name);
  const where = part.offset === 0 || !part.skipFirstPartialLine ? part.name : `${part.name} from byte ${part.offset}`;
  const chunks = counted(fileChunks(part.path, part.offset), onBytes, part.length);
  const quotedNewline = await readPart(task, part, chunks, windows, rejections, where);
  return {
    file: part.file,
    windows: windows.toProfiles().map(({ start, profile }) => ({ start, bytes: encodeProfile(profile, task.features) })),
    rejected: rejections.counts(),
    samples: rejections.samples(),
    quotedNewline,
  };
}

/** Answers whether the part is void, since its file was cut between quotes. */
async function readPart(
  { format, columns }: PartTask,
  part: Part,
  chunks: Chunks,
  windows: WindowProfiles,
  rejections: Rejections,
  where: string,
): Promise<boolean> {
  if (format === 'csv') {
    const range = { skipFirstPartialLine: part.skipFirstPartialLine, length: part.length };
    return (await readCsvRows(chunks, where, part.fileColumns, windows, rejections, range)).quotedNewline;
  }
  if (format === 'jsonl') {
    await readJsonLines(wholeLines(chunks, part), where, () => windows, rejections, columns);
    return false;
  }
  const requests = {
    begin: () => true,
    text: (row: TextRow, prediction: Cell) => {
      windows.text(row);
      if (prediction !== undefined) windows.prediction(prediction);
    },
    cells: (row: readonly Cell[], prediction: Cell) => {
      windows.cells(row);
      if (prediction !== undefined) windows.prediction(prediction);
    },
  };
  await readCapture(wholeLines(chunks, part), where, columns, requests, rejections, new CaptureStats());
  return false;
}

export const windowsOf = (answer: PartAnswer, features: readonly WatchedFeature[]): WindowProfile[] =>
  answer.windows.map(({ start, bytes }) => ({ start, profile: decodeProfile(bytes, features) }));

/** Features and time by their places in the file. */
function inFile({ columns, features, cut }: PartTask, { fileColumns }: Part): Pick<PartTask, 'features' | 'cut'> {
  const places = columns.map((name) => fileColumns.indexOf(name));
  return {
    features: features.map((feature) => (feature.column === undefined ? feature : { ...feature, column: places[feature.column] })),
    cut: cut && { ...cut, column: places[cut.column] },
  };
}

async function* counted(chunks: Chunks, onBytes: (bytes: number) => void, most: number): Chunks {
  let left = most;
  for await (const chunk of chunks) {
    yield chunk;
    onBytes(Math.min(left, chunk.length));
    left -= Math.min(left, chunk.length);
  }
}

const NEWLINE = 10;

/** The lines that begin within a part: the last one, whole, goes on beyond it. */
export async function* wholeLines(chunks: Chunks, { length, skipFirstPartialLine }: Pick<Part, 'length' | 'skipFirstPartialLine'>): Chunks {
  let skipping = skipFirstPartialLine;
  let at = 0;
  for await (const chunk of chunks) {
    let from = 0;
    if (skipping) {
      from = chunk.indexOf(NEWLINE) + 1;
      skipping = from === 0;
      if (at + (skipping ? chunk.length : from) >= length) {
        return;
      }
    }
    if (!skipping) {
      // A newline as the part's last byte ends it: the next line begins in the next part.
      const last = length - 1 - at;
      const end = last < chunk.length ? chunk.indexOf(NEWLINE, Math.max(from, last)) : -1;
      yield chunk.subarray(from, end < 0 ? chunk.length : end + 1);
      if (end >= 0) {
        return;
      }
    }
    at += chunk.length;
  }
}
