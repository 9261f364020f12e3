import { evaluate, figuresOfHoldout } from '../../../lambda/pipeline/evaluation/evaluate';
import type { NoImportance } from '../../../lambda/pipeline/evaluation/importance';
import type { Importance } from '../../../lambda/pipeline/evaluation/types';
import { decide } from '../../../lambda/pipeline/gate';
import { reportOf } from '../../../lambda/pipeline/gate/report';
import type { GateEvidence, GateReport } from '../../../lambda/pipeline/gate/types';
import type { GateSpec } from '../../../lib/pipeline/contract';
import { BINARY, CLASSES, CLEAN, EVIDENCE, GATE, holdoutOf, normals, REGRESSION, type Rows } from './gate-samples';

/** Reports as the function makes them, on data that look like chance and are the same each time. */

const ABOUT = { model: 'BikeDemand', runId: 'run-2012-06-01', round: 0, holdoutUri: 's3://data/runs/BikeDemand/run-2012-06-01/holdout/holdout.csv' };
const FIRST_DAY = 15_492;

const OFF: NoImportance = { why: 'it is switched off for the model: PermutationImportance.off()' };

const report = (
  task: typeof REGRESSION,
  rows: Rows,
  gate: GateSpec,
  evidence: GateEvidence,
  championVersion: number | null,
  importance: Importance | NoImportance = OFF,
): GateReport => {
  const holdout = holdoutOf(task, rows);
  const judged = figuresOfHoldout(holdout);
  const decision = decide(gate, holdout, evidence, 1, judged);
  const evaluation = evaluate(holdout, gate.metric, judged);
  return reportOf({ about: { ...ABOUT, championVersion }, task, gate, holdout, evidence, decision, evaluation, importance });
};

export const EVIL = '<img src=x onerror="document.title=1">';

/** As of a model of hours and weather; one column is of no use, one has a name that is none. */
const importanceOf = (metric: string, unit: number): Importance => ({
  metric,
  rows: 500,
  repeats: 5,
  baseline: 1.2 * unit,
  features: [
    { name: 'hr', mean: 3.1 * unit, standardDeviation: 0.12 * unit },
    { name: 'workingday', mean: 0.9 * unit, standardDeviation: 0.08 * unit },
    { name: EVIL, mean: 0.2 * unit, standardDeviation: 0.05 * unit },
    { name: 'season', mean: 0, standardDeviation: 0 },
    { name: 'a column whose name is far longer than the room that a chart has for it', mean: -0.04 * unit, standardDeviation: 0.03 * unit },
  ],
  notComputable: [],
});

const regressionRows = (days: number, better: number): Rows => {
  const normal = normals(11);
  const dayOf = Array.from({ length: days * 24 }, (_, row) => FIRST_DAY + Math.floor(row / 24));
  const moods = new Map(dayOf.map((day) => [day, Math.exp(0.25 * normal())]));
  const truth = dayOf.map((_, row) => Math.max(1, 180 + 120 * Math.sin(((row % 24) / 24) * 6.28) + 40 * normal()));
  const weather = dayOf.map((day, row) => (day % 7 === 3 ? 'rain' : day % 5 === 1 ? EVIL : row % 400 === 7 ? undefined : 'clear'));
  return {
    truth,
    candidate: truth.map((value, row) => value + 40 * better * (moods.get(dayOf[row]) ?? 1) * normal()),
    champion: truth.map((value, row) => value + 40 * (moods.get(dayOf[row]) ?? 1) * normal() + 6),
    days: dayOf,
    groups: { weather },
  };
};

const dated = (to: string): typeof CLEAN => ({ ...CLEAN, columns: ['timestamp', 'hr', 'cnt'], trainRows: 10_886, trainTo: to });
const leakage = { candidate: dated('2012-05-31T23:00:00.000Z'), champion: dated('2012-04-30T23:00:00.000Z') };

const FULL: GateSpec = {
  ...GATE,
  bounds: [{ metric: 'rmse', worseThan: 80 }],
  groups: [{ column: 'weather', metric: 'rmse', worseThan: 70, minimumRows: 50 }],
  maximumMillisecondsPerRow: 50,
  maximumModelBytes: 50 * 1024 ** 2,
};

/** A better candidate on thirty days, every rule kept. */
export const passedReport = (): GateReport => {
  const evidence = { leakage, scoringMilliseconds: 9000, permutedRows: 12_500, modelBytes: 812_345 };
  return report(REGRESSION, regressionRows(30, 0.8), FULL, evidence, 3, importanceOf('rmse', 30));
};

/** A candidate on fourteen days that breaks most rules, with training rows in the holdout and a champion from before there were keys. */
export const refusedReport = (): GateReport =>
  report(
    REGRESSION,
    regressionRows(14, 1.3),
    { ...FULL, bounds: [{ metric: 'rmse', worseThan: 40 }], groups: [{ ...FULL.groups[0], worseThan: 45 }] },
    {
      leakage: {
        candidate: { ...dated('2012-06-03T11:00:00.000Z'), sharedRows: 40, share: 40 / 336, rowsInTrainingPeriod: 60 },
        champion: { status: 'not-checkable', reason: 'it was trained before training rows were kept by their keys' },
      },
      modelBytes: 99 * 1024 ** 2,
    },
    3,
  );

export const firstReport = (): GateReport => {
  const rows = { ...regressionRows(30, 1), champion: undefined };
  return report(REGRESSION, rows, GATE, { ...EVIDENCE, leakage: { candidate: leakage.candidate, champion: { status: 'no-model' } } }, null);
};

/** Probabilities of a rare class, on rows without a time. */
export const binaryReport = (): GateReport => {
  const normal = normals(5);
  const logits = Array.from({ length: 600 }, () => -1.5 + 1.6 * normal());
  const truth = logits.map((value) => (1 / (1 + Math.exp(-value - 0.8 * normal())) > 0.5 ? 1 : 0));
  const score = (value: number): number => 1 / (1 + Math.exp(-value));
  const rows = { truth, candidate: logits.map((value) => score(1.4 * value)), champion: logits.map((value) => score(value + 1.5 * normal())) };
  const groups = { town: logits.map((_, row) => ['Bern', 'Basel', 'Genf'][row % 3]) };
  const ruled = [{ column: 'town', metric: 'recall', worseThan: 0.4, minimumRows: 100 }];
  const gate = { ...GATE, metric: 'auc', minimumImprovement: -0.01, groups: ruled };
  const importance = { ...importanceOf('auc', 0.1), notComputable: ['tenure'] };
  return report({ ...BINARY, positiveLabel: 'churned' } as never, { ...rows, groups }, gate, EVIDENCE, 7, importance);
};

export const classesReport = (): GateReport => {
  const names = ['cat', 'dog', 'eel'];
  const days = Array.from({ length: 900 }, (_, row) => FIRST_DAY + Math.floor(row / 30));
  const truth = days.map((_, row) => names[(row * 7) % 3]);
  const off = (every: number) => truth.map((name, row) => (row % every === 0 ? names[row % 2] : name));
  const gate = { ...GATE, metric: 'accuracy' };
  return report({ ...CLASSES, timeColumn: 't' } as never, { truth, candidate: off(11), champion: off(5), days }, gate, { ...EVIDENCE, leakage }, 2);
};
