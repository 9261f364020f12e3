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
  /** Files are cut into parts of about this size. Default: a few parts for each thread, of 32 MiB or more; one thread reads whole files. */
  readonly partBytes?: number;
  readonly onProgress?: (bytes: number) => void;
}

export interface ProfiledFiles {
  /** In order of time. */
  readonly windows: readonly WindowProfile[];
  readonly rejections: Rejections;
}

/** Smaller parts cost more to begin and to hand over than they gain. */
const LEAST_PART_BYTES = 32 * 2 ** 20;
/** So many that no thread is left long with the last one. */
const PARTS_A_THREAD = 4;
const HEADER_BYTES = 2 ** 20;
const WORKER = path.join(__dirname, 'profile.worker.js');

/** Counts the rows of files over all cores. The answer is the same for any number of workers and any size of the parts. */
export async function profileFiles(options: ProfileFilesOptions): Promise<ProfiledFiles> {
  const { files, features, onProgress = () => undefined } = options;
  const threads = threadsOf(options.workers);
  const task: PartTask = { format: options.format, columns: options.columns, features, cut: options.cut };
  const parts = (await Promise.all(files.map((_, file) => partsOf(options, file, threads)))).flat();
  const gathered = new Gathered(options, parts);
  await run(task, parts, threads, onProgress, (answer) => gathered.add(answer));
  // A newline between quotes: such a file cannot be cut, its parts are void.
  const whole = parts.filter(({ file, skipFirstPartialLine }) => gathered.uncut.has(file) && !skipFirstPartialLine);
  const again = whole.map((part) => ({ ...part, length: files[part.file].bytes }));
  await run(
    task,
    again,
    threads,
    () => undefined,
    (answer) => gathered.merge(answer),
  );
  return gathered.done();
}

/** Adds up answers as they come, so that no more is held than one profile for each window and file that is being read. */
class Gathered {
  /** Files that turned out not to be cut at their rows. */
  public readonly uncut = new Set<number>();
  private readonly rejections = new Rejections();
  private readonly windows = new Map<number | undefined, WindowProfile>();
  private readonly waiting: PartAnswer[][];
  private readonly left: number[];

  constructor(
    private readonly options: ProfileFilesOptions,
    parts: readonly Part[],
  ) {
    this.waiting = options.files.map(() => []);
    this.left = options.files.map((_, file) => parts.filter((part) => part.file === file).length);
  }

  /** An answer counts as soon as no part of its file can make it void. */
  public add(answer: PartAnswer): void {
    const { file } = answer;
    this.left[file] -= 1;
    this.waiting[file].push(answer);
    if (answer.quotedNewline) {
      this.uncut.add(file);
    }
    if (this.left[file] === 0) {
      if (!this.uncut.has(file)) {
        this.waiting[file].forEach((one) => this.merge(one));
      }
      this.waiting[file] = [];
    }
  }

  public merge(answer: PartAnswer): void {
    this.rejections.merge(answer.rejected, answer.samples);
    for (const { start, profile } of windowsOf(answer, this.options.features)) {
      const known = this.windows.get(start);
      this.windows.set(start, { start, profile: known === undefined ? profile : mergeProfiles(known.profile, profile) });
      requireFew(this.windows.size, this.options.files[0].name);
    }
  }

  public done(): ProfiledFiles {
    if (this.options.cut === undefined && this.windows.size === 0) {
      this.windows.set(undefined, { profile: emptyProfile(this.options.features) });
    }
    return { windows: [...this.windows.values()].sort(byStart), rejections: this.rejections };
  }
}

/** Run from source, as tests do, there is no bundle that a thread could load. */
const threadsOf = (wanted = availableParallelism()): number => (existsSync(WORKER) ? Math.max(1, wanted) : 1);

/** Parts of a file that are counted on their own: as many for each thread, so that all have done at about the same time. */
async function partsOf({ files, format, columns, partBytes }: ProfileFilesOptions, file: number, threads: number): Promise<Part[]> {
  const { name, path: place, bytes } = files[file];
  const header = format === 'csv' ? await headerOf(place, name) : { columns, length: 0 };
  const lacking = columns.filter((column) => !header.columns.includes(column));
  if (lacking.length > 0) {
    throw new CliError(`${name} lacks the columns ${lacking.join(', ')}`, 'compare files of one schema');
  }
  const size = bytes - header.length;
  const parts = partBytes === undefined ? evenParts(size, threads, files) : Math.ceil(size / partBytes);
  const ranges = csvRanges(header.length, bytes, Math.max(1, parts));
  return ranges.map((range) => ({ file, path: place, name, fileColumns: header.columns, ...range }));
}

function evenParts(size: number, threads: number, files: ProfileFilesOptions['files']): number {
  const all = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const parts = Math.ceil(size / Math.max(LEAST_PART_BYTES, all / (PARTS_A_THREAD * threads)));
  return threads === 1 || parts <= 1 ? 1 : Math.ceil(parts / threads) * threads;
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

async function run(
  task: PartTask,
  parts: readonly Part[],
  threads: number,
  onBytes: (bytes: number) => void,
  onAnswer: (answer: PartAnswer) => void,
): Promise<void> {
  const workers = Math.min(threads, parts.length);
  const waiting = [...parts];
  if (workers <= 1) {
    for (const part of waiting) {
      onAnswer(await profilePart(task, part, onBytes));
    }
    return;
  }
  await Promise.all(Array.from({ length: workers }, () => work(task, waiting, onBytes, onAnswer)));
}

/** One thread, which takes parts until none is left. */
async function work(task: PartTask, waiting: Part[], onBytes: (bytes: number) => void, onAnswer: (answer: PartAnswer) => void): Promise<void> {
  const worker = new Worker(WORKER, { workerData: task });
  try {
    await new Promise<void>((resolve, reject) => {
      /** False where no part is left. */
      const next = (): boolean => {
        const part = waiting.shift();
        if (part !== undefined) {
          worker.postMessage(part);
        }
        return part !== undefined;
      };
      worker.on('message', (message: WorkerMessage) => {
        if (message.kind === 'bytes') {
          onBytes(message.bytes);
        } else if (message.kind === 'answer') {
          // The thread goes on while its answer is added up.
          const goesOn = next();
          try {
            onAnswer(message.answer);
          } catch (error) {
            reject(error as Error);
          }
          if (!goesOn) {
            resolve();
          }
        } else {
          reject(message.error);
        }
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`a thread that counted rows ended with ${code}`)));
      if (!next()) {
        resolve();
      }
    });
  } finally {
    await worker.terminate();
  }
}
