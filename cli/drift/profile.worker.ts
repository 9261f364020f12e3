import { parentPort, workerData } from 'node:worker_threads';
import type { Part, PartTask } from './profile-part';
import { profilePart } from './profile-part';

/** Counts parts of files in a thread of its own: takes a part at a time, answers its counters, and tells between them how far it is. */

export type WorkerMessage =
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'answer'; readonly answer: Awaited<ReturnType<typeof profilePart>> }
  | { readonly kind: 'failed'; readonly error: unknown };

const task = workerData as PartTask;

const tell = (message: WorkerMessage): void => parentPort?.postMessage(message);

parentPort?.on('message', (part: Part) => {
  profilePart(task, part, (bytes) => tell({ kind: 'bytes', bytes })).then(
    (answer) => tell({ kind: 'answer', answer }),
    (error: unknown) => tell({ kind: 'failed', error }),
  );
});
