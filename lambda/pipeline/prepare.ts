import { createHash } from 'node:crypto';
import { parse } from 'csv-parse/sync';
import {
  type AppliedConstraints,
  type DataFile,
  type DataManifest,
  type DataSplit,
  datasetPrefix,
  quarantinePrefix,
  runArtifactsPrefix,
  runDataPrefix,
} from '../../lib/artifacts/contract';
import { hasCode, type PipelineSpec } from '../../lib/pipeline/contract';
import type { S3Files } from '../common/s3.client';
import { readCategory } from '../monitoring/values';
import type { RunSource } from './configuration';
import { keepConstraints } from './constraint-source';
import { csvLine } from './csv-line';
import { dataInvalid } from './data-invalid';
import { DataQuality } from './data-quality';
import { readDataFile, type Rejection, type Row } from './data-reader';
import { keepRowKeys } from './row-keys';
import { sortedByTime, splitHoldout } from './split';

/** More malformed rows than this are no accident of single rows. */
export const MOST_REJECTED = 0.01;
/** So many names of what there is stand in an error. */
const MOST_NAMED = 10;
/** All rows stand in the function's memory to be sorted. */
const LARGEST_DATASET = 256 * 1024 * 1024;

export interface Buckets {
  readonly data: string;
  readonly artifacts: string;
}

/** Where the parts of a run's data lie. */
export const runUris = (buckets: Buckets, model: string, runId: string) => {
  const data = `s3://${buckets.data}/${runDataPrefix(model, runId)}`;
  const artifacts = `s3://${buckets.artifacts}/${runArtifactsPrefix(model, runId)}`;
  return {
    manifestUri: `${artifacts}data-manifest.json`,
    rowKeysUri: `${artifacts}train-keys.bin`,
    codeUri: `${artifacts}code/sourcedir.tar.gz`,
    configurationUri: `${artifacts}configuration.json`,
    trainUri: `${data}train/train.csv`,
    targetFirstUri: `${data}train-target-first/train.csv`,
    holdoutUri: `${data}holdout/holdout.csv`,
    holdoutFeaturesUri: `${data}holdout-features/holdout-features.csv`,
    candidateScoresUri: `${artifacts}scores/candidate`,
    championScoresUri: `${artifacts}scores/champion`,
    modelOutputUri: `${artifacts}model`,
    constraintsUri: `${artifacts}constraints.json`,
    dataQualityUri: `${artifacts}data-quality.json`,
    quarantineUri: `s3://${buckets.data}/${quarantinePrefix(model, runId)}rejected-rows.jsonl`,
  };
};

interface Dataset {
  readonly files: readonly DataFile[];
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** Rows that cannot be read as rows of this data. */
  readonly rejections: readonly Rejection[];
  /** Rows that break a constraint. */
  readonly violating: readonly Rejection[];
}

/** Turns a model's data set into the rows that a run trains and is judged on. The manifest is written last: where it stands, all of it does. */
export class DataPreparation {
  constructor(
    private readonly files: S3Files,
    private readonly buckets: Buckets,
    private readonly source: RunSource,
    private readonly now: () => number = Date.now,
  ) {}

  private get spec(): PipelineSpec {
    return this.source.settings;
  }

  async prepare(runId: string): Promise<DataManifest> {
    const uris = runUris(this.buckets, this.spec.model, runId);
    // A second try must not see files that arrived after the first one: the rows of a run never change.
    if (await this.files.head(uris.manifestUri)) return this.files.readJson<DataManifest>(uris.manifestUri);

    const quality = this.source.constraints && new DataQuality(this.source.constraints, this.spec);
    const dataset = await this.read(quality);
    await this.quarantine(dataset, uris.quarantineUri);
    const constraints = quality && (await this.applied(quality, dataset, uris));
    const sorted = sortedByTime(dataset.rows);
    const { train, holdout } = splitHoldout(sorted, this.spec.holdout);
    this.requireEnough(train, holdout);
    this.requireLabels(dataset.columns, train);

    const header = csvLine(dataset.columns);
    const target = dataset.columns.indexOf(this.spec.task.target);
    const trainText = csvText([header], train);
    await this.files.put(uris.trainUri, trainText, { contentType: 'text/csv' });
    const rowKeys = await keepRowKeys(this.files, uris.rowKeysUri, dataset.columns, trainText, this.spec.gate.rowKey);
    await this.files.put(uris.holdoutUri, csvText([header], holdout), { contentType: 'text/csv' });
    await this.files.put(
      uris.holdoutFeaturesUri,
      csvText(
        [],
        holdout.map((row) => withoutColumn(row, target)),
      ),
      { contentType: 'text/csv' },
    );
    if (this.spec.training.targetFirst) {
      const rows = train.map((row) => targetFirst(row, target, this.spec.task));
      await this.files.put(uris.targetFirstUri, csvText([], rows), { contentType: 'text/csv' });
    }
    if (hasCode(this.spec.training.codeUri)) await this.files.copy(this.spec.training.codeUri, uris.codeUri);

    const splits = { train: toSplit(uris.trainUri, train), holdout: toSplit(uris.holdoutUri, holdout) };
    const manifest: DataManifest = {
      schemaVersion: 1,
      dataId: dataIdOf(dataset, splits),
      model: this.spec.model,
      bucket: this.buckets.data,
      ...(this.source.dataPrefix !== undefined && { prefix: this.source.dataPrefix }),
      ...(this.source.dataCommit !== undefined && { commit: this.source.dataCommit }),
      files: dataset.files,
      columns: dataset.columns,
      rows: dataset.rows.length,
      ...span(sorted),
      quarantinedRows: dataset.rejections.length + dataset.violating.length,
      ...(constraints && { constraints }),
      ...splits,
      rowKeys,
    };
    await this.files.putJson(uris.manifestUri, manifest);
    return manifest;
  }

  /** Keeps constraints and verdict with the run, whatever the verdict is, then stops it where the data must not be used. */
  private async applied(
    quality: DataQuality,
    { rows }: Dataset,
    { constraintsUri, dataQualityUri }: ReturnType<typeof runUris>,
  ): Promise<AppliedConstraints> {
    const { file, ...origin } = this.source.constraints!;
    const kept = await keepConstraints(this.files, constraintsUri, { file, ...origin });
    const newest = rows.reduce((latest, { time = -Infinity }) => Math.max(latest, time), -Infinity);
    const report = quality.report(newest === -Infinity ? undefined : newest, this.source.dataFiles ? undefined : this.now());
    await this.files.putJson(dataQualityUri, report);
    quality.requireKept(report, dataQualityUri);
    return { ...kept, ...origin, warnings: report.violations.length };
  }

  private async read(quality?: DataQuality): Promise<Dataset> {
    const all = `s3://${this.buckets.data}/${datasetPrefix(this.spec.model)}`;
    const prefix = `${all}${requireBelow(this.source.dataPrefix, all)}`;
    const files: DataFile[] = [];
    const rows: Row[] = [];
    const rejections: Rejection[] = [];
    const violating: Rejection[] = [];
    let columns: readonly string[] | undefined;
    for await (const { key, versionId, etag } of this.source.dataFiles ?? this.present(prefix)) {
      const uri = `s3://${this.buckets.data}/${key}`;
      const content = await readDataFile(await this.files.readStream(uri, versionId), uri, this.spec.task, columns, quality?.judge);
      columns ??= content.columns;
      files.push({ key, versionId, etag, rows: content.rows.length, sha256: content.sha256 });
      for (const row of content.rows) rows.push(row);
      for (const rejection of content.rejections) rejections.push(rejection);
      for (const rejection of content.violating) violating.push({ ...rejection, ...(versionId !== undefined && { versionId }) });
    }
    if (!columns) throw dataInvalid(prefix, 'there is no data', await this.wayOut(prefix, all));
    return { files, columns, rows, rejections, violating };
  }

  /** What to do where nothing lies below the prefix: upload, or take another one that is there. */
  private async wayOut(prefix: string, all: string): Promise<string> {
    const there = new Set<string>();
    if (prefix !== all) {
      for await (const { uri } of this.files.list(all)) {
        const [first, ...rest] = uri.slice(all.length).split('/');
        there.add(rest.length > 0 ? `${first}/` : first);
        if (there.size > MOST_NAMED) break;
      }
    }
    const named = [...there].filter((name) => name !== '').slice(0, MOST_NAMED).join(', ');
    return named === '' ? 'upload CSV files with a header there' : `below ${all} there are ${named}${there.size > MOST_NAMED ? ' and more' : ''}`;
  }

  /** What the data set holds now. */
  private async *present(prefix: string): AsyncGenerator<Pick<DataFile, 'key' | 'versionId' | 'etag'>> {
    let bytes = 0;
    for await (const { uri, key, bytes: size } of this.files.list(prefix)) {
      if (key.endsWith('/')) continue;
      bytes += size;
      if (bytes > LARGEST_DATASET) {
        throw dataInvalid(
          prefix,
          `the data set is larger than ${LARGEST_DATASET / 1024 / 1024} MiB`,
          'aggregate it, or keep only the rows that still matter',
        );
      }
      const head = await this.files.head(uri);
      if (head) yield { key, versionId: head.versionId, etag: head.etag };
    }
  }

  /** Single malformed rows are set aside, with their number and rule, and the run goes on; many of them fail it. Either way none is lost. */
  private async quarantine({ rows, rejections, violating }: Dataset, uri: string): Promise<void> {
    if (rejections.length + violating.length === 0) return;
    const lines = [...rejections, ...violating].map((rejection) => `${JSON.stringify(rejection)}\n`);
    await this.files.put(uri, lines.join(''), { contentType: 'application/jsonlines' });
    const all = rows.length + rejections.length + violating.length;
    if (rejections.length <= all * MOST_REJECTED) return;
    const [{ file, row, rule }] = rejections;
    const share = `${rejections.length} of ${all} rows cannot be used, more than ${MOST_REJECTED * 100} %`;
    throw dataInvalid(`${file}, row ${row}`, `${rule}; ${share}`, `correct the rows listed in ${uri}`);
  }

  private requireEnough(train: readonly Row[], holdout: readonly Row[]): void {
    const { minimumTrainingRows: minimum, holdout: spec, model } = this.spec;
    const where = datasetPrefix(model);
    const held = spec.days === undefined ? `a holdout of ${(spec.share ?? 0) * 100} %` : `a holdout of the last ${spec.days} days`;
    if (holdout.length === 0) throw dataInvalid(where, `${held} holds no row`, 'add data, or state another holdout');
    if (train.length < minimum) {
      throw dataInvalid(
        where,
        `${train.length} rows are left to train on after ${held}, at least ${minimum} are needed`,
        'add data, or state a smaller holdout',
      );
    }
  }

  private requireLabels(columns: readonly string[], train: readonly Row[]): void {
    const { kind, target, positiveLabel } = this.spec.task;
    if (kind === 'REGRESSION') return;
    const labels = new Set<string>();
    const index = columns.indexOf(target);
    for (const row of train) labels.add(readCategory(cellsOf(row)[index]) ?? '');
    const where = datasetPrefix(this.spec.model);
    const some = [...labels].slice(0, 2).join(', ');
    if (labels.size < 2)
      throw dataInvalid(where, `the target '${target}' has only the label ${some} in the training rows`, 'add rows of another label');
    if (kind !== 'BINARY_CLASSIFICATION') return;
    if (labels.size > 2)
      throw dataInvalid(where, `the target '${target}' has ${labels.size} labels, a binary task has two`, 'correct it');
    if (positiveLabel !== undefined && !labels.has(readCategory(positiveLabel) ?? '')) {
      throw dataInvalid(where, `the target '${target}' never is the positive label '${positiveLabel}', only ${some}`, 'correct the task or the data');
    }
  }
}

/** A prefix is part of keys below the data set: it cannot lead out of it. */
const requireBelow = (prefix: string | undefined, all: string): string => {
  if (prefix === undefined) return '';
  const isPart = !prefix.split('/').some((part) => part === '..' || part === '.');
  if (prefix !== '' && !prefix.startsWith('/') && isPart && /^[\x20-\uffff]*$/.test(prefix)) return prefix;
  throw dataInvalid(`dataPrefix ${JSON.stringify(prefix)}`, `it is no part of keys below ${all}`, 'state it without a slash at its start: 2012/');
};

const cellsOf = (row: Row): string[] => (row.line.includes('"') ? (parse(row.line) as string[][])[0] : row.line.split(','));

const withoutColumn = (row: Row, column: number): Row => ({ line: csvLine(cellsOf(row).filter((_, index) => index !== column)) });

/** As SageMaker's built-in algorithms read rows: the target before the features, of two classes as 1 and 0. */
const targetFirst = (row: Row, column: number, { kind, positiveLabel }: PipelineSpec['task']): Row => {
  const cells = cellsOf(row);
  const [value] = cells.splice(column, 1);
  const label = kind === 'BINARY_CLASSIFICATION' ? String(Number(readCategory(value) === readCategory(positiveLabel ?? ''))) : value;
  return { line: csvLine([label, ...cells]) };
};

const csvText = (head: readonly string[], rows: readonly Row[]): string => [...head, ...rows.map(({ line }) => line), ''].join('\n');

const span = (sorted: readonly Row[]): { from?: string; to?: string } => {
  const [first, last] = [sorted[0]?.time, sorted.at(-1)?.time];
  return first === undefined || last === undefined ? {} : { from: new Date(first).toISOString(), to: new Date(last).toISOString() };
};

const toSplit = (uri: string, rows: readonly Row[]): DataSplit => ({ uri, rows: rows.length, ...span(rows) });

const dataIdOf = ({ files, columns, violating }: Dataset, splits: Record<'train' | 'holdout', DataSplit>): string => {
  const identity = {
    files: files.map(({ key, sha256 }) => [key, sha256]),
    columns,
    splits: Object.values(splits).map(({ rows, from, to }) => [rows, from, to]),
    // Files and numbers of rows do not tell which rows constraints have set aside.
    ...(violating.length > 0 && { without: violating.map(({ file, row }) => [file, row]) }),
  };
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
};
