import type { MonitorResult, MonitorSpec } from '../../../lib/monitoring/contract';
import type { RuleAlarm } from '../drift/episodes';
import { isDecided } from './publish';

type Judged = Pick<MonitorResult, 'drift' | 'quality' | 'groups' | 'constraints' | 'windowEnd'>;

/**
 * What every rule says of a window. One that was not judged in it neither goes on with an episode nor brings its end nearer; beside rules that were
 * judged it is told by its metric or gap, which has no interval then.
 */
export const alarmsOf = (spec: MonitorSpec, { drift, quality, groups, constraints, windowEnd }: Judged): RuleAlarm[] => {
  const due = quality.to === windowEnd;
  return [
    { rule: 'drift', key: 'drift', alarming: drift.verdict === 'drift', judged: isDecided(drift.verdict) },
    ...spec.qualityRules.map(({ metric }): RuleAlarm => {
      const alarming = quality.exceeded.some((breach) => breach.metric === metric);
      const known = alarming || quality.metrics[metric]?.low !== undefined;
      return { rule: 'quality', key: metric, alarming, judged: due && known && isDecided(quality.verdict) };
    }),
    ...spec.groupRules.map(({ column, metric }): RuleAlarm => {
      const gap = groups.gaps.find((one) => one.column === column && one.metric === metric);
      const alarming = gap?.breached ?? false;
      const known = alarming || gap?.low !== undefined;
      return { rule: 'groups', key: `${column}:${metric}`, alarming, judged: due && known && isDecided(groups.verdict) };
    }),
    { rule: 'constraints', key: 'constraints', alarming: constraints.verdict === 'violated', judged: isDecided(constraints.verdict) },
  ];
};
