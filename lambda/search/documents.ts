import { ModelVersion, RegisteredModel } from '../../lib/registry/contract';
import { SearchDocument } from '../../lib/search/contract';
import { DatasetInput, Experiment, Run } from '../../lib/tracking/contract';
import { weigh, WEIGHTS } from './words';

type Weighted = readonly [weight: number, text: string | undefined];

/** What is left in the index of a thing that was deleted: nothing that a word finds. */
export const goneDocument = (kind: SearchDocument['kind'], ref: string, revision: number): SearchDocument => ({
  kind,
  ref,
  title: '',
  detail: '',
  time: 0,
  revision,
  gone: true,
  words: {},
});

/** Values of tags that MLflow itself keeps, such as whole histories as JSON, are no words that anybody looks for. */
const LONGEST_VALUE = 200;

const tagWords = (tags: Readonly<Record<string, string>>): readonly Weighted[] =>
  Object.entries(tags)
    .filter(([, value]) => value.length <= LONGEST_VALUE)
    .flatMap(([key, value]): Weighted[] => [[WEIGHTS.tag, value], ...(key.startsWith('mlflow.') ? [] : ([[WEIGHTS.text, key]] as const))]);

const one = (...parts: readonly (string | undefined)[]): string =>
  parts
    .filter((part) => part)
    .join(', ')
    .slice(0, LONGEST_VALUE);

export const modelDocument = (model: RegisteredModel): SearchDocument => ({
  kind: 'model',
  ref: model.modelId,
  title: model.name,
  detail: one(model.owner && `owner ${model.owner}`, model.description),
  time: Date.parse(model.createdAt),
  revision: Date.parse(model.updatedAt),
  gone: false,
  words: weigh([
    [WEIGHTS.name, model.name],
    [WEIGHTS.owner, model.owner],
    ...Object.keys(model.aliases).map((alias): Weighted => [WEIGHTS.tag, alias]),
    ...tagWords(model.tags),
    [WEIGHTS.text, model.description],
  ]),
});

export const versionDocument = (version: ModelVersion): SearchDocument => ({
  kind: 'version',
  ref: `${version.modelId}/${version.version}`,
  title: `${version.model} v${version.version}`,
  detail: one(version.state, version.cause ?? version.description),
  time: Date.parse(version.createdAt),
  revision: Date.parse(version.updatedAt),
  gone: false,
  words: weigh([
    [WEIGHTS.tag, version.model],
    [WEIGHTS.tag, version.runId],
    [WEIGHTS.owner, version.createdBy],
    [WEIGHTS.tag, version.dataId],
    [WEIGHTS.tag, version.code?.commit],
    ...tagWords(version.tags),
    [WEIGHTS.text, version.cause],
    [WEIGHTS.text, version.description],
  ]),
});

export const experimentDocument = (experiment: Experiment): SearchDocument => ({
  kind: 'experiment',
  ref: experiment.experimentId,
  title: experiment.name,
  detail: one(...Object.entries(experiment.tags).filter(([key]) => !key.startsWith('mlflow.')).map(([key, value]) => `${key} ${value}`)),
  time: experiment.creationTime,
  revision: experiment.lastUpdateTime,
  gone: experiment.lifecycleStage === 'deleted',
  // Behind the model of the same name, whose runs it holds.
  words: weigh([[WEIGHTS.name - 1, experiment.name], [WEIGHTS.tag, experiment.experimentId], ...tagWords(experiment.tags)]),
});

/** A run and the datasets that it used; `revision` is that of its row. */
export const runDocuments = (run: Run, revision: number, gone: boolean): readonly SearchDocument[] => {
  const document: SearchDocument = {
    kind: 'run',
    ref: run.runId,
    title: run.name || run.runId,
    detail: one(run.status, run.pipeline && `${run.pipeline.model}: ${run.pipeline.cause}`, run.userId && `by ${run.userId}`),
    time: run.startTime,
    experimentId: run.experimentId,
    revision,
    gone,
    words: weigh([
      // Names of runs are often made of what they belong to, which itself comes first.
      [WEIGHTS.name - 2, run.name],
      [WEIGHTS.name - 2, run.runId],
      [WEIGHTS.owner, run.userId],
      [WEIGHTS.tag, run.pipeline?.model],
      ...run.datasets.map(({ name }): Weighted => [WEIGHTS.tag, name]),
      ...tagWords(run.tags),
      [WEIGHTS.text, run.pipeline?.cause],
    ]),
  };
  const datasets = new Map(run.datasets.map((dataset) => datasetDocument(dataset, run)).map((one) => [one.ref, one]));
  return [document, ...datasets.values()];
};

/** Names may be longer than a key of the table. */
const NAME_IN_REF = 120;

/** A dataset never changes: name and digest tell which one it is, and the first run that used it when it came. */
const datasetDocument = (dataset: DatasetInput, run: Run): SearchDocument => ({
  kind: 'dataset',
  ref: `${[...dataset.name].slice(0, NAME_IN_REF).join('')}@${dataset.digest}`,
  title: dataset.name,
  detail: one(`digest ${dataset.digest}`, dataset.sourceType),
  time: run.startTime,
  revision: -run.startTime,
  gone: false,
  words: weigh([[WEIGHTS.name, dataset.name], [WEIGHTS.name, dataset.digest], ...tagWords(dataset.tags), [WEIGHTS.text, dataset.source]]),
});
