import type { GateSpec, PipelineSpec } from '../../../lib/pipeline/contract';
import type { NoImportance } from '../evaluation/importance';
import type { ScoredHoldout } from '../evaluation/scored-holdout';
import type { Evaluation, Importance } from '../evaluation/types';
import type { GateDecision, GateEvidence, GateReport } from './types';

export interface ReportParts {
  readonly about: Pick<GateReport, 'model' | 'runId' | 'round' | 'championVersion' | 'holdoutUri'>;
  readonly task: PipelineSpec['task'];
  readonly gate: GateSpec;
  readonly holdout: ScoredHoldout;
  readonly evidence: GateEvidence;
  readonly decision: GateDecision;
  readonly evaluation: Evaluation;
  readonly importance: Importance | NoImportance;
}

/** Everything that the gate looked at. */
export const reportOf = ({ about, task, gate, holdout, evidence, decision, evaluation, importance }: ReportParts): GateReport => ({
  schemaVersion: 2,
  ...about,
  ...decision,
  ...(holdout.from !== undefined && { from: new Date(holdout.from).toISOString() }),
  ...(holdout.to !== undefined && { to: new Date(holdout.to).toISOString() }),
  task,
  gate,
  ...evidence,
  ...evaluation,
  ...('why' in importance ? {} : { importance }),
  missing: [
    ...('why' in importance ? [{ what: 'Permutation importance', why: importance.why }] : []),
    ...(gate.groups.length === 0 ? [{ what: 'Slices by group', why: 'the gate names no column whose values are groups' }] : []),
    ...(evaluation.calibration || task.kind === 'MULTICLASS_CLASSIFICATION' ? [] : [{ what: 'Calibration', why: 'the scores are no probabilities' }]),
    ...(evaluation.curves || task.kind !== 'BINARY_CLASSIFICATION' ? [] : [{ what: 'Curves', why: 'the holdout holds rows of one class only' }]),
    ...(task.kind === 'MULTICLASS_CLASSIFICATION'
      ? [{ what: 'Calibration and curves', why: 'the model answers classes, not the probabilities of them' }]
      : []),
  ],
});

/** Groups of one rule that go into the metrics of a version; all of them are in the report. */
const MOST_GROUP_METRICS = 50;

/** Values of judged groups by the names that the registry knows them by. */
export const groupMetrics = ({ rules }: Pick<GateDecision, 'rules'>): Record<string, number> =>
  Object.fromEntries(
    rules.flatMap(({ metric, column, groups = [] }) =>
      groups.slice(0, MOST_GROUP_METRICS).flatMap(({ group, value }): [string, number][] =>
        value === undefined ? [] : [[`${metric}/${column}:${group}`, value]],
      ),
    ),
  );

/** Features whose importance goes on the run's record; all of them are in the report. */
const MOST_IMPORTANT = 20;
/** Names of metrics as MLflow takes them. */
const METRIC_NAME = /^[\w\-. :]{1,200}$/;

/** Importance of the most important features, by names that trackers show together. */
export const importanceMetrics = ({ importance }: Pick<GateReport, 'importance'>): Record<string, number> =>
  Object.fromEntries(
    (importance?.features ?? [])
      .filter(({ name }) => METRIC_NAME.test(name))
      .slice(0, MOST_IMPORTANT)
      .map(({ name, mean }) => [`importance/${name}`, mean]),
  );
