import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { emptyProfile, mergeProfiles } from '../../lambda/monitoring/profile';
import type { WatchedFeature } from '../../lambda/monitoring/profile/types';
import { csvHeader, csvRanges } from '../../lambda/monitoring/readers/csv';
import { Rejections } from '../../lambda/monitoring/rejections';
import { CliError } from '../errors';
import type { Part, PartAnswer, PartTask } from './profile-part';
import { profilePart, windowsOf } from './profile-part';
import type { WorkerMessage } from './profile.worker';
import type { WindowCut, WindowProfile } from './window-profiles';
import { byStart, requireFew } from './window-profiles';

export interface ProfileFilesOptions {
  /** Files on this machine, of one table. */
  readonly files: readonly { readonly name: string; readonly path: string; readonly bytes: number }[];
  readonly format: PartTask['format'];
  /** Columns of the table; the columns of a CSV file may stand in another order. */
  readonly columns: readonly string[];
  readonly features: readonly WatchedFeature[];
  /** One profile for each window of time, instead of one for all rows. */
  readonly cut?: WindowCut;
  /** Threads. Default: as many as there are cores; in this thread where the work is small. */
  readonly workers?: number;
  readonly onProgress?: (bytes: number) => void;
}

export interface ProfiledFiles {
  /** In order of time. */
  readonly windows: readonly WindowProfile[];
  readonly rejections: Rejections;
}

/** Smaller parts cost more to hand over than they gain. */
const PART_BYTES = 32 * 2 ** 20;
const HEADER_BYTES = 2 ** 20;
const WORKER = path.join(__dirname, 'profile.worker.js');

/** Counts the rows of files over all cores. The answer is the same for any number of workers. */
export async function profileFiles(options: ProfileFilesOptions): Promise<ProfiledFiles> {
  const { files, features, onProgress = () => undefined } = options;
  const task: PartTask = { format: options.format, columns: options.columns, features, cut: options.cut };
  const parts = (await Promise.all(files.map((_, file) => partsOf(options, file)))).flat();
  const answers = await run(task, parts, options.workers, onProgress);
  // A newline between quotes: such a file cannot be cut, its parts are void.
  const uncut = new Set(answers.filter(({ quotedNewline }) => quotedNewline).map(({ file }) => file));
  const whole = parts.filter(({ file, skipFirstPartialLine }) => uncut.has(file) && !skipFirstPartialLine);
  const again = await run(task, whole.map((part) => ({ ...part, length: files[part.file].bytes })), options.workers, () => undefined);
  return merged(options, [...answers.filter(({ file }) => !uncut.has(file)), ...again]);
}

/** Parts of a file that are counted on their own. */
async function partsOf({ files, format, columns }: ProfileFilesOptions, file: number): Promise<Part[]> {
  const { name, path: place, bytes } = files[file];
  const header = format === 'csv' ? await headerOf(place, name) : { columns, length: 0 };
  const lacking = columns.filter((column) => !header.columns.includes(column));
  if (lacking.length > 0) {
    throw new CliError(`${name} lacks the columns ${lacking.join(', ')}`, 'compare files of one schema');
  }
  const ranges = csvRanges(header.length, bytes, Math.max(1, Math.ceil((bytes - header.length) / PART_BYTES)));
  return ranges.map((range) => ({ file, path: place, name, fileColumns: header.columns, ...range }));
}

async function headerOf(place: string, name: string): Promise<{ columns: readonly string[]; length: number }> {
  const handle = await open(place, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const header = csvHeader(buffer.subarray(0, bytesRead), name);
    if (header === undefined) {
      throw new CliError(`${name} has no header line`, 'the first line names the columns');
    }
    return header;
  } finally {
    await handle.close();
  }
}

async function run(task: PartTask, parts: readonly Part[], wanted: number | undefined, onBytes: (bytes: number) => void): Promise<PartAnswer[]> {
  const workers = Math.min(wanted ?? availableParallelism(), parts.length);
  const waiting = [...parts];
  const answers: PartAnswer[] = [];
  // Run from source, as tests do, there is no bundle that a thread could load.
  if (workers <= 1 || !existsSync(WORKER)) {
    for (const part of waiting) {
      answers.push(await profilePart(task, part, onBytes));
    }
    return answers;
  }
  await Promise.all(Array.from({ length: workers }, () => work(task, waiting, onBytes, (answer) => answers.push(answer))));
  return answers;
}

/** One thread, which takes parts until none is left. */
async function work(task: PartTask, waiting: Part[], onBytes: (bytes: number) => void, onAnswer: (answer: PartAnswer) => void): Promise<void> {
  const worker = new Worker(WORKER, { workerData: task });
  try {
    await new Promise<void>((resolve, reject) => {
      const next = (): void => {
        const part = waiting.shift();
        if (part === undefined) {
          resolve();
        } else {
          worker.postMessage(part);
        }
      };
      worker.on('message', (message: WorkerMessage) => {
        if (message.kind === 'bytes') {
          onBytes(message.bytes);
        } else if (message.kind === 'answer') {
          onAnswer(message.answer);
          next();
        } else {
          reject(message.error);
        }
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`a thread that counted rows ended with ${code}`)));
      next();
    });
  } finally {
    await worker.terminate();
  }
}

function merged({ features, files, cut }: ProfileFilesOptions, answers: readonly PartAnswer[]): ProfiledFiles {
  const rejections = new Rejections();
  const windows = new Map<number | undefined, WindowProfile>();
  for (const answer of answers) {
    rejections.merge(answer.rejected, answer.samples);
    for (const { start, profile } of windowsOf(answer, features)) {
      const known = windows.get(start);
      windows.set(start, { start, profile: known === undefined ? profile : mergeProfiles(known.profile, profile) });
      requireFew(windows.size, files[0].name);
    }
  }
  if (cut === undefined && windows.size === 0) {
    windows.set(undefined, { profile: emptyProfile(features) });
  }
  return { windows: [...windows.values()].sort(byStart), rejections };
}
