import { type MonitorSpec, windowStartOf } from '../../../lib/monitoring/contract';
import { suggestConstraints } from '../constraints/suggest';
import { promiseReferences } from '../drift/reference';
import { BlockCounter } from '../profile';
import type { BlockTable, WatchedFeature } from '../profile/types';
import { holdoutQuality } from '../quality/holdout';
import { countHoldout, type HoldoutCounts, Scores, type ScoreSource } from './holdout';
import type { TableSource } from './table';
import { countTraining, shapeTraining, watchedColumns } from './train';
import type { Baseline, BaselineFeature } from './types';

export interface BaselineInput {
  readonly spec: MonitorSpec;
  readonly runId: string;
  readonly train: TableSource;
  readonly holdout: TableSource;
  /** One prediction for each holdout row, in its order. */
  readonly scores: ScoreSource;
  /** By feature, 0 to 1, as permutation found it; else the predictions' variance tells. */
  readonly importance?: ReadonlyMap<string, number>;
}

/** Profiles the training data and the candidate's predictions of the holdout, in passes over both that keep no rows. */
export async function buildBaseline(input: BaselineInput): Promise<{ baseline: Baseline; blocks: BlockTable }> {
  const { spec, runId, train, holdout, scores } = input;
  const { task, model } = spec;
  const shapes = await shapeTraining(spec, train);
  const predictions = await Scores.read(scores);
  const name = predictionName(shapes.columns);
  const made = predictions.shape();
  const prediction: WatchedFeature[] = 'shape' in made ? [{ name, role: 'prediction', shape: made.shape }] : [];
  const watched = [...watchedColumns(spec, shapes.shaped, shapes.columns), ...prediction];

  const timeColumn = task.timeColumn === undefined ? undefined : shapes.columns.indexOf(task.timeColumn);
  const inBlocks = watched.filter(({ role }) => role !== 'target');
  const counter = new BlockCounter(inBlocks, {
    windowSeconds: spec.windowSeconds,
    rowsPerBlock: spec.minimumRows,
    ...(timeColumn !== undefined && { timeColumn }),
  });
  const counted = await countTraining(spec, train, shapes, counter);
  counter.nextPart();
  const held = await countHoldout(spec, holdout, predictions, watched, counter);
  if (counter.untimed > 0) {
    throw new Error(`${counter.untimed} rows of the training data and holdout have no ISO 8601 time in column ${task.timeColumn}`);
  }
  const blocks = counter.toTable();

  const importance = input.importance ?? held.importance;
  const features = [
    ...counted.features.map((feature) => withImportance(feature, importance)),
    ...predictionFeature(prediction, held, predictions),
  ];
  const columns = shapes.columns.filter((column) => column !== task.target);
  const windowRows = blocks.kind === 'time' ? blocks.blocks.map(({ rows }) => rows) : undefined;
  return {
    blocks,
    baseline: {
      schemaVersion: 2,
      model,
      runId,
      columns,
      ...(task.timeColumn !== undefined && { timeColumn: task.timeColumn }),
      trainRows: shapes.rows,
      features,
      importanceMethod: input.importance ? 'permutation' : 'explained-variance',
      skipped: [...shapes.skipped, ...('reason' in made ? [{ name, reason: made.reason }] : [])],
      holdout: holdoutQuality(spec, held.pairs),
      constraints: suggestConstraints({
        model,
        origin: `${shapes.rows.toLocaleString('en-US')} training rows of run ${runId}`,
        rows: shapes.rows,
        columns,
        // The truth is not part of a request.
        features: features.filter(({ role }) => role === 'feature'),
        folds: counted.folds,
        windowSeconds: spec.windowSeconds,
        ...(windowRows && { windowRows }),
        ...(counted.longestGapSeconds !== undefined && { longestGapSeconds: counted.longestGapSeconds }),
      }),
      promises: promiseReferences(spec, inBlocks, blocks, windowAfter(spec, held)),
    },
  };
}

/** Name under which predictions are watched; a column of that name keeps it. */
const predictionName = (columns: readonly string[]): string => (columns.includes('prediction') ? 'prediction (model)' : 'prediction');

const withImportance = (feature: BaselineFeature, importance: ReadonlyMap<string, number>): BaselineFeature =>
  importance.has(feature.name) ? { ...feature, importance: importance.get(feature.name) } : feature;

const predictionFeature = ([prediction]: readonly WatchedFeature[], { counts }: HoldoutCounts, scores: Scores): BaselineFeature[] =>
  prediction === undefined || counts === undefined
    ? []
    : [{ name: prediction.name, role: 'prediction', shape: prediction.shape, counts, distinct: scores.distinct() }];

/** The first whole window that the version can serve in. */
const windowAfter = ({ windowSeconds }: MonitorSpec, { newest }: HoldoutCounts): number =>
  newest === undefined ? 0 : windowStartOf(newest, windowSeconds) + windowSeconds * 1000;
