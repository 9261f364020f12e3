import type { GroupsSpec, QualitySpec } from '../../../../lambda/monitoring/quality';
import { QualityTable } from '../../../../lambda/monitoring/quality';
import type { RuntimeTask } from '../../../../lambda/monitoring/task-metrics';
import { normal as gaussOf, random as randomOf } from '../../../fakes/random';

export const DAY = 86_400_000;
export const REGRESSION: RuntimeTask = { kind: 'REGRESSION', target: 'y', timeColumn: 'at' };
export const BINARY: RuntimeTask = { kind: 'BINARY_CLASSIFICATION', target: 'y', timeColumn: 'at', positiveLabel: 'yes' };

/** At most one episode in ninety days, one verdict a day. */
export const SPEC: QualitySpec & GroupsSpec = {
  task: REGRESSION,
  falseAlarms: { episodes: 1, days: 90, shares: { drift: 0.5, quality: 0.25, groups: 0.25 } },
  qualityRules: [],
  minimumRows: 100,
  groupColumns: [],
  groupRules: [],
  groupMinimum: { rows: 30, perClass: 5 },
};

export { gaussOf, randomOf };

export interface Row {
  readonly day: number;
  readonly truth: number | string;
  readonly prediction: number | string;
  readonly groups?: readonly (string | undefined)[];
}

export function tableOf(task: RuntimeTask, rows: readonly Row[], groupColumns: readonly string[] = []): QualityTable {
  const table = new QualityTable(task, groupColumns);
  rows.forEach(({ day, truth, prediction, groups }) => table.add(day, prediction, truth, groups, 3600));
  return table;
}

/** Regression errors of days that are each a little off: `spread` of the errors, `dayEffect` of the days. */
export function errorsOf(random: () => number, days: number, perDay: number, spread: number, dayEffect: number): Row[] {
  return Array.from({ length: days }, (_, day) => ({ day, effect: gaussOf(random) * dayEffect })).flatMap(({ day, effect }) =>
    Array.from({ length: perDay }, () => ({ day, truth: spread * gaussOf(random) + effect, prediction: 0 })),
  );
}
