import type { MonitorResult, MonitorSpec } from '../../../lib/monitoring/contract';
import type { RuleAlarm } from '../drift/episodes';

type Judged = Pick<MonitorResult, 'drift' | 'quality' | 'groups' | 'constraints' | 'windowEnd'>;

/** What every rule says of a window. One that was not judged in it neither goes on with an episode nor brings its end nearer. */
export const alarmsOf = (spec: MonitorSpec, { drift, quality, groups, constraints, windowEnd }: Judged): RuleAlarm[] => [
  { rule: 'drift', key: 'drift', alarming: drift.verdict === 'drift', judged: drift.verdict === 'drift' || drift.verdict === 'ok' },
  ...spec.qualityRules.map(({ metric }): RuleAlarm => ({
    rule: 'quality',
    key: metric,
    alarming: quality.exceeded.some((breach) => breach.metric === metric),
    judged: quality.to === windowEnd && (quality.verdict === 'ok' || quality.verdict === 'degraded'),
  })),
  ...spec.groupRules.map(({ column, metric }): RuleAlarm => ({
    rule: 'groups',
    key: `${column}:${metric}`,
    alarming: groups.gaps.some((gap) => gap.column === column && gap.metric === metric && gap.breached),
    judged: quality.to === windowEnd && (groups.verdict === 'ok' || groups.verdict === 'degraded'),
  })),
  {
    rule: 'constraints',
    key: 'constraints',
    alarming: constraints.verdict === 'violated',
    judged: constraints.verdict === 'ok' || constraints.verdict === 'violated',
  },
];
