import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderReport } from '../../lambda/monitoring/report/render';
import type { DriftVerdict } from '../../lib/monitoring/contract';
import { CliError } from '../errors';
import type { Io } from '../io';
import { tellHistory, tellResult, type Telling } from '../monitor/tell';
import { connect, type Connection } from '../platform';
import { withProgress } from '../progress';
import type { DriftOptions } from './command';
import { compareTables, type Compared, mostNotable } from './compare';
import { asCliError, formatOf } from './formats';
import { filesOf, type SourceFile } from './sources';
import { type Format, Table } from './table';
import { hasAnswers, pairsOf } from './transform';

const EXIT = { ok: 0, drift: 3, insufficient: 4 } as const;

/** Compares, tells and writes what was asked for; answers the exit code. */
export async function runDrift(io: Io, reference: string, current: string, options: DriftOptions): Promise<number> {
  const compared = await withProgress(io, 'drift', (line) => compare(io, reference, current, options, line)).catch((error: unknown) => {
    throw asCliError(error);
  });
  const [verdict, exitCode] = verdictOf(compared);
  const results = compared.windows.map(({ result }) => result);
  const json = `${JSON.stringify({ verdict, exitCode, reference, current, windows: results }, null, 2)}\n`;
  const files = { title: `${current} against ${reference}`, reference: 'Reference' };
  if (options.report !== undefined) write(options.report, report(compared, files));
  if (typeof options.json === 'string') write(options.json, json);
  io.out(options.json === true ? json : tell(io, compared, { features: options.features, files }));
  return exitCode;
}

/** Reads and judges; tells how far it is. */
async function compare(io: Io, reference: string, current: string, options: DriftOptions, line: (text: string) => void): Promise<Compared> {
  const connection = () => connect(options.local);
  const [before, now] = await Promise.all([filesOf(reference, connection), filesOf(current, connection)]);
  const { output, referenceOutput, format } = options;
  // The training data are rarely a batch transform themselves.
  const wanted = options.referenceFormat ?? (format === 'transform' ? undefined : format);
  const [referenceFiles, referenceFormat] = await sideOf(reference, before, wanted, referenceOutput, connection);
  const [currentFiles, currentFormat] = await sideOf(current, now, format, output, connection);
  const referenceTable = await Table.open(reference, referenceFiles, referenceFormat, options.columns);
  const sent = referenceTable.columns.filter((name) => name !== options.target && name !== options.prediction);
  const requestColumns = options.columns ?? (referenceTable.isServed ? referenceTable.columns : sent);
  const currentTable = await Table.open(current, currentFiles, currentFormat, requestColumns);
  const roles = { time: options.time, target: options.target, prediction: options.prediction, groups: options.groups ?? [] };
  const settings = { ...options, roles, windowSeconds: options.window, falseAlarm: options.falseAlarms };
  return compareTables(referenceTable, currentTable, settings, bar(io, line));
}

/** Files of one side and their format; of a batch transform its inputs with their outputs. */
async function sideOf(
  place: string,
  files: readonly SourceFile[],
  format: Format | undefined,
  output: string | undefined,
  connection: () => Connection,
): Promise<[readonly SourceFile[], Format]> {
  if (format !== 'transform' && output === undefined && (format !== undefined || !hasAnswers(files))) {
    return [files, format ?? (await formatOf(files[0]))];
  }
  const isOneInput = files.length === 1 && files[0].name === place && !place.endsWith('.out');
  const outputs = output ?? (isOneInput ? `${place}.out` : undefined);
  const pairs = outputs === undefined ? pairsOf(place, files) : pairsOf(place, files, outputs, await filesOf(outputs, connection));
  return [pairs, 'transform'];
}

const WIDTH = 24;

/** A bar for people who watch; elsewhere one line for each thing that is read. */
function bar(io: Io, line: (text: string) => void): (what: string, share: number) => void {
  let last = '';
  return (what, share) => {
    const done = Math.floor(share * WIDTH);
    const text = io.isTerminal ? `${'█'.repeat(done)}${'░'.repeat(WIDTH - done)} ${what}` : what;
    if (text !== last) line(text);
    last = text;
  };
}

/** Drift in any window is drift; a verdict needs one window that could be judged. */
function verdictOf({ windows }: Compared): readonly [DriftVerdict, number] {
  const verdicts = windows.map(({ result }) => result.drift.verdict);
  if (verdicts.includes('drift')) return ['drift', EXIT.drift];
  if (verdicts.includes('ok')) return ['ok', EXIT.ok];
  return [verdicts[0] ?? 'no-traffic', EXIT.insufficient];
}

function tell(io: Io, { windows }: Compared, telling: Telling): string {
  const { judged } = mostNotable(windows);
  if (windows.length === 1) return tellResult(io, judged.result, telling);
  const several = `${tellHistory(io, windows.map(({ result }) => result))}\nthe window that differs most:\n\n`;
  return several + tellResult(io, judged.result, telling);
}

function report({ windows, spec, baseline }: Compared, files: NonNullable<Telling['files']>): string {
  const { judged, trend } = mostNotable(windows);
  return renderReport(judged.result, { spec, baseline, comparisons: judged.comparisons, trend, files });
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CliError(`${file} cannot be written: ${(error as Error).message}`, `is there a directory ${path.dirname(file)}?`);
  }
}
