// Shared by synth time and run time: imports nothing.

export const ARTIFACTS_ENV = {
  artifactsBucket: 'MLOPS_ARTIFACTS_BUCKET',
  dataBucket: 'MLOPS_DATA_BUCKET',
  predictionsBucket: 'MLOPS_PREDICTIONS_BUCKET',
  reportsBucket: 'MLOPS_REPORTS_BUCKET',
} as const;

/** Data bucket: CSV files with a header, one data set per model; every object below it is training data. */
export const datasetPrefix = (model: string): string => `datasets/${model}/`;

/** Data bucket: the rows that one run trains and is judged on, and rows that were refused. */
export const runDataPrefix = (model: string, runId: string): string => `runs/${model}/${runId}/`;
export const modelQuarantinePrefix = (model: string): string => `quarantine/${model}/`;
export const quarantinePrefix = (model: string, runId: string): string => `${modelQuarantinePrefix(model)}${runId}/`;

/** Data and artifacts bucket: the runs of one model. */
export const modelRunsPrefix = (model: string): string => `runs/${model}/`;

/** Artifacts bucket: everything that one run made. */
export const runArtifactsPrefix = (model: string, runId: string): string => `runs/${model}/${runId}/`;

/** Predictions bucket: `capture/<endpoint>/<variant>/yyyy/mm/dd/hh/*.jsonl`, SageMaker's capture layout, UTC hour of the request. */
export const CAPTURE_ROOT = 'capture/';
export const capturePrefix = (endpointName: string, variantName: string): string => `${CAPTURE_ROOT}${endpointName}/${variantName}/`;

/** Predictions bucket: `labels/<model>/yyyy/mm/dd/hh/*.jsonl`, UTC hour of arrival. */
export const labelsPrefix = (model: string): string => `labels/${model}/`;

/** `yyyy/mm/dd/hh`, UTC: the part of the keys of recorded requests and labels that tells their hour. */
export const hourPath = (time: Date): string => time.toISOString().slice(0, 13).replace(/[-T]/g, '/');

/** Reports bucket. */
export const gateReportsPrefix = (model: string): string => `gate/${model}/`;
/** A candidate that is judged once more, against another champion, gets a report of its own. */
export const gateReportKey = (model: string, runId: string, round = 0): string =>
  `${gateReportsPrefix(model)}${runId}/gate${round === 0 ? '' : `-${round}`}.json`;
/** The same report as a page for a person. */
export const gatePageKey = (model: string, runId: string, round = 0): string => gateReportKey(model, runId, round).replace(/json$/, 'html');
/** How the release of a version failed, or why it was called off, by the run that found it. */
export const releaseReportKey = (model: string, runId: string, version: number, redrive = 0): string =>
  `${gateReportsPrefix(model)}${runId}/release-v${version}${redrive === 0 ? '' : `-${redrive}`}.json`;
/** Where the page of a report is. */
export const gatePageUri = (reportUri: string): string => reportUri.replace(/json$/, 'html');
export const baselinesPrefix = (model: string): string => `baselines/${model}/`;
export const baselineKey = (model: string, runId: string): string => `${baselinesPrefix(model)}${runId}/baseline.json`;
export const monitoringPrefix = (model: string): string => `monitoring/${model}/`;

/** Reports bucket: what a run leaves for its own later steps; expires. One root for all models, since rules on age know no patterns. */
export const WORK_ROOT = 'work/';
export const monitoringWorkPrefix = (model: string): string => `${WORK_ROOT}monitoring/${model}/`;

/** One object of a data manifest. */
export interface DataFile {
  readonly key: string;
  readonly versionId?: string;
  readonly etag: string;
  readonly rows: number;
  readonly sha256: string;
}

/** Which rows went into a run; stored as `data-manifest.json` below the run's artifacts. */
export interface DataManifest {
  readonly schemaVersion: 1;
  /** SHA-256 over files, columns and split: equal ids mean equal data. */
  readonly dataId: string;
  readonly model: string;
  readonly bucket: string;
  /** Keys below the data set's own prefix that the run was bound to; absent where it read all of them. */
  readonly prefix?: string;
  /** Commit of DVC or lakeFS that whoever asked for the run says the data came from. */
  readonly commit?: string;
  readonly files: readonly DataFile[];
  /** Header of the files, in order. */
  readonly columns: readonly string[];
  readonly rows: number;
  /** Event time of the first and last row; absent without a time column. */
  readonly from?: string;
  readonly to?: string;
  readonly quarantinedRows: number;
  /** Constraints that the rows were checked against; absent where there were none. */
  readonly constraints?: AppliedConstraints;
  readonly train: DataSplit;
  readonly holdout: DataSplit;
  /** Keys of the training rows; absent in manifests of runs before there were any. */
  readonly rowKeys?: RowKeysRef;
  /** Absent where the run makes no permutation importance. */
  readonly permuted?: PermutedRowsRef;
}

/** Name of the object with permuted rows below what the candidate scores. */
export const PERMUTED_ROWS_FILE = 'permuted-rows.csv';

/**
 * A sample of holdout rows once for each feature and repeat, with that feature's values shuffled among them: as CSV without header and target, first
 * repeat first, its features in their order, the rows of each in the order of the sample.
 */
export interface PermutedRowsRef {
  readonly uri: string;
  /** Columns of a request row, in order: each is shuffled. */
  readonly features: readonly string[];
  readonly repeats: number;
  /** Holdout rows of the sample by number, from 0, ascending. */
  readonly sample: readonly number[];
}

/** Sorted 64-bit hashes of rows, which tell whether a row of another table was among them without holding any of its values. */
export interface RowKeysRef {
  readonly uri: string;
  /** Columns that were hashed, in this order. */
  readonly columns: readonly string[];
  readonly rows: number;
}

/** Constraints of a run: a copy lies with the run, since versions in the data bucket and baselines need not outlive it. */
export interface AppliedConstraints {
  /** The copy, and its SHA-256. */
  readonly uri: string;
  readonly sha256: string;
  /** Where they came from: the file in the data bucket with its version, or the baseline of the champion. */
  readonly source: string;
  readonly versionId?: string;
  /** Rules of severity warning that the data broke. */
  readonly warnings: number;
}

export interface DataSplit {
  readonly uri: string;
  readonly rows: number;
  readonly from?: string;
  readonly to?: string;
}
