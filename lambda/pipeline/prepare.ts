import { createHash } from 'node:crypto';
import {
  type AppliedConstraints,
  type DataFile,
  type DataManifest,
  type DataSplit,
  datasetPrefix,
  PERMUTED_ROWS_FILE,
  quarantinePrefix,
  runArtifactsPrefix,
  runDataPrefix,
} from '../../lib/artifacts/contract';
import { hasCode, type PipelineSpec } from '../../lib/pipeline/contract';
import { completeAll } from '../common/s3-writer.client';
import type { S3Files } from '../common/s3.client';
import { readCategory } from '../monitoring/values';
import type { RunSource } from './configuration';
import { keepConstraints } from './constraint-source';
import { dataInvalid } from './data-invalid';
import { DataQuality } from './data-quality';
import { readDataFile } from './data-reader';
import { PermutedRows } from './importance/permuted-rows';
import { KeyFile } from './rows/key-file';
import { RunOutputs } from './rows/run-outputs';
import { RunRows, type Side } from './rows/run-rows';

/** More malformed rows than this are no accident of single rows. */
export const MOST_REJECTED = 0.01;
/** So many names of what there is stand in an error. */
const MOST_NAMED = 10;
/** What the function reads, sorts and writes within its time and its disk. */
export const LARGEST_DATASET = 2 * 1024 ** 3;

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
    permutedRowsUri: `${data}holdout-features/${PERMUTED_ROWS_FILE}`,
    candidateScoresUri: `${artifacts}scores/candidate`,
    championScoresUri: `${artifacts}scores/champion`,
    modelOutputUri: `${artifacts}model`,
    constraintsUri: `${artifacts}constraints.json`,
    dataQualityUri: `${artifacts}data-quality.json`,
    quarantineUri: `s3://${buckets.data}/${quarantinePrefix(model, runId)}rejected-rows.jsonl`,
  };
};

type Uris = ReturnType<typeof runUris>;

/** An object of the data set, as it was when the run began. */
type Source = Pick<DataFile, 'key' | 'versionId' | 'etag'>;

/**
 * Turns a model's data set into the rows that a run trains and is judged on. Files are read once, as they come; what is sorted of them stands in a
 * file, not in memory. The manifest is written last: where it stands, all of it does.
 */
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

    const rows = new RunRows(this.spec);
    const keys = new KeyFile();
    try {
      return await this.prepareFrom(rows, keys, uris);
    } finally {
      rows.close();
      keys.close();
    }
  }

  private async prepareFrom(rows: RunRows, keys: KeyFile, uris: Uris): Promise<DataManifest> {
    const quality = this.source.constraints && new DataQuality(this.source.constraints, this.spec);
    const files = await this.read(rows, quality);
    await this.quarantine(rows, uris.quarantineUri);
    const constraints = quality && (await this.applied(quality, rows, uris));
    const { start, ...sides } = rows.split();
    this.requireEnough(sides);

    const { importance, task } = this.spec;
    const sampled = importance && new PermutedRows(rows.names.filter((name) => name !== task.target), importance);
    const outputs = new RunOutputs(this.files, uris, rows, keys, this.spec, sampled);
    const rowKeys = await outputs.write(start, () => this.requireLabels([...outputs.labels].map((label) => rows.labels[label])));
    const permuted = await sampled?.keep(this.files, uris.permutedRowsUri);
    if (hasCode(this.spec.training.codeUri)) await this.files.copy(this.spec.training.codeUri, uris.codeUri);

    const splits = { train: toSplit(uris.trainUri, sides.train), holdout: toSplit(uris.holdoutUri, sides.holdout) };
    const { count } = rows.sorted;
    const manifest: DataManifest = {
      schemaVersion: 1,
      dataId: dataIdOf(files, rows, splits),
      model: this.spec.model,
      bucket: this.buckets.data,
      ...(this.source.dataPrefix !== undefined && { prefix: this.source.dataPrefix }),
      ...(this.source.dataCommit !== undefined && { commit: this.source.dataCommit }),
      files,
      columns: rows.names,
      rows: count,
      ...span(rows.side(0, count)),
      quarantinedRows: rows.setAside,
      ...(constraints && { constraints }),
      ...splits,
      rowKeys,
      ...(permuted && { permuted }),
    };
    await this.files.putJson(uris.manifestUri, manifest);
    return manifest;
  }

  /** Keeps constraints and verdict with the run, whatever the verdict is, then stops it where the data must not be used. */
  private async applied(quality: DataQuality, { hasTime, sorted }: RunRows, { constraintsUri, dataQualityUri }: Uris): Promise<AppliedConstraints> {
    const { file, ...origin } = this.source.constraints!;
    const kept = await keepConstraints(this.files, constraintsUri, { file, ...origin });
    const newest = hasTime && sorted.count > 0 ? sorted.newest : undefined;
    const report = quality.report(newest, this.source.dataFiles ? undefined : this.now());
    await this.files.putJson(dataQualityUri, report);
    quality.requireKept(report, dataQualityUri);
    return { ...kept, ...origin, warnings: report.violations.length };
  }

  private async read(rows: RunRows, quality?: DataQuality): Promise<DataFile[]> {
    const all = `s3://${this.buckets.data}/${datasetPrefix(this.spec.model)}`;
    const prefix = `${all}${requireBelow(this.source.dataPrefix, all)}`;
    const files: DataFile[] = [];
    for await (const { key, versionId, etag } of this.source.dataFiles ?? this.present(prefix)) {
      const uri = `s3://${this.buckets.data}/${key}`;
      // Without versions an object may be another one by now: the answer would have to be the one that was found.
      const stream = await (versionId === undefined ? this.files.readUnchanged(uri, etag) : this.files.readStream(uri, versionId));
      rows.versionId = versionId;
      const expected = files.length === 0 ? undefined : rows.names;
      const content = await readDataFile(stream, uri, this.spec.task, rows, expected, quality?.judge);
      files.push({ key, versionId, etag, rows: content.rows, sha256: content.sha256 });
    }
    if (files.length === 0) throw dataInvalid(prefix, 'there is no data', await this.wayOut(prefix, all));
    return files;
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

  /** What the data set holds now, all of it listed before any of it is read. */
  private async *present(prefix: string): AsyncGenerator<Source> {
    const found: string[] = [];
    let total = 0;
    for await (const { uri, key, bytes } of this.files.list(prefix)) {
      if (key.endsWith('/')) continue;
      found.push(uri);
      total += bytes;
    }
    if (total > LARGEST_DATASET) {
      const rule = `the data set has ${mebibytes(total)} MiB, a run takes ${mebibytes(LARGEST_DATASET)} MiB`;
      throw dataInvalid(prefix, rule, 'aggregate it, keep only the rows that still matter, or bind the run to some of it with a data prefix');
    }
    for (const uri of found) {
      const head = await this.files.head(uri);
      if (head) yield { key: uri.slice(`s3://${this.buckets.data}/`.length), versionId: head.versionId, etag: head.etag };
    }
  }

  /** Single malformed rows are set aside, with their number and rule, and the run goes on; many of them fail it. Either way none is lost. */
  private async quarantine({ rejections, broken, setAside, sorted }: RunRows, uri: string): Promise<void> {
    if (setAside === 0) return;
    const writer = this.files.writer(uri, { contentType: 'application/jsonlines' });
    await completeAll([writer], async () => {
      await rejections.writeTo(writer);
      await broken.writeTo(writer);
    });
    const all = sorted.count + setAside;
    if (!rejections.first || rejections.count <= all * MOST_REJECTED) return;
    const { file, row, rule } = rejections.first;
    const share = `${rejections.count} of ${all} rows cannot be used, more than ${MOST_REJECTED * 100} %`;
    throw dataInvalid(`${file}, row ${row}`, `${rule}; ${share}`, `correct the rows listed in ${uri}`);
  }

  private requireEnough({ train, holdout }: Record<'train' | 'holdout', Side>): void {
    const { minimumTrainingRows: minimum, holdout: spec, model } = this.spec;
    const where = datasetPrefix(model);
    const held = spec.days === undefined ? `a holdout of ${(spec.share ?? 0) * 100} %` : `a holdout of the last ${spec.days} days`;
    if (holdout.rows === 0) throw dataInvalid(where, `${held} holds no row`, 'add data, or state another holdout');
    if (train.rows < minimum) {
      throw dataInvalid(
        where,
        `${train.rows} rows are left to train on after ${held}, at least ${minimum} are needed`,
        'add data, or state a smaller holdout',
      );
    }
  }

  /** @param labels of the training rows; undefined stands for those beyond the ones that are told apart */
  private requireLabels(labels: readonly (string | undefined)[]): void {
    const { kind, target, positiveLabel } = this.spec.task;
    if (kind === 'REGRESSION') return;
    const where = datasetPrefix(this.spec.model);
    const some = labels.slice(0, 2).join(', ');
    if (labels.length < 2)
      throw dataInvalid(where, `the target '${target}' has only the label ${some} in the training rows`, 'add rows of another label');
    if (kind !== 'BINARY_CLASSIFICATION') return;
    if (labels.length > 2 || labels.includes(undefined))
      throw dataInvalid(where, `the target '${target}' has ${labels.length} labels, a binary task has two`, 'correct it');
    if (positiveLabel !== undefined && !labels.includes(readCategory(positiveLabel) ?? '')) {
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

const mebibytes = (bytes: number): number => Math.ceil(bytes / 1024 ** 2);

const span = ({ from, to }: Side): { from?: string; to?: string } =>
  from === undefined || to === undefined ? {} : { from: new Date(from).toISOString(), to: new Date(to).toISOString() };

const toSplit = (uri: string, side: Side): DataSplit => ({ uri, rows: side.rows, ...span(side) });

const dataIdOf = (files: readonly DataFile[], { names: columns, broken }: RunRows, splits: Record<'train' | 'holdout', DataSplit>): string => {
  const identity = {
    files: files.map(({ key, sha256 }) => [key, sha256]),
    columns,
    splits: Object.values(splits).map(({ rows, from, to }) => [rows, from, to]),
  };
  const text = JSON.stringify(identity);
  const hash = createHash('sha256').update(text.slice(0, -1));
  if (broken.count > 0) {
    // Files and numbers of rows do not tell which rows constraints have set aside.
    let separator = ',"without":[';
    for (const { file, row } of broken.all()) {
      hash.update(`${separator}${JSON.stringify([file, row])}`);
      separator = ',';
    }
    hash.update(']');
  }
  return hash.update('}').digest('hex');
};
