import type { Io } from './io';

/** Runs a task: with a live line in a terminal, with plain lines on standard error elsewhere. */
export async function withProgress<T>(io: Io, title: string, task: (tell: (line: string) => void) => Promise<T>): Promise<T> {
  if (!io.isTerminal || process.stderr.isTTY !== true) return task((line) => io.err(`${title}: ${line}\n`));
  const { Listr } = await import('listr2');
  let result!: T;
  const run = async (tell: (line: string) => void): Promise<void> => {
    result = await task(tell);
  };
  await new Listr([{ title, task: (_, shown) => run((line) => (shown.output = line)) }], {
    registerSignalListeners: false,
    rendererOptions: { showErrorMessage: false, collapseErrors: false },
  }).run();
  return result;
}
