import { Problem, Validator } from '../common/validation';
import { VARIANT_NAME } from '../serving/contract';
import { Serving } from '../serving/serving';
import { MonitorSpec } from './contract';
import { ModelMonitorProps } from './model-monitor-props';
import { Monitoring } from './monitoring';
import { QualityRule, qualityRuleProblems, qualityRuleSpec } from './quality-rule';

/** Labelled rows of each class that a rate of a group needs. */
const GROUP_ROWS_PER_CLASS = 10;

/** The part of a monitor's properties that its functions are told. */
type MonitorChoices = Pick<ModelMonitorProps, 'modelName' | 'platformName' | 'task' | 'endpointName' | 'serving' | 'monitoring' | 'qualityRules'>;

/** @internal */
export const monitorSpec = ({ modelName, task, endpointName, serving, monitoring, qualityRules }: MonitorChoices): MonitorSpec => {
  const { _options: options, _windowSeconds: windowSeconds } = monitoring;
  const { kind, captureSamplingPercentage } = (serving ?? Serving.serverless())._toSpec();
  return {
    model: modelName,
    task: task._toSpec(),
    endpointName,
    variantName: VARIANT_NAME,
    servingKind: kind,
    samplingPercentage: captureSamplingPercentage,
    windowSeconds,
    delaySeconds: options.delay.toSeconds(),
    minimumRows: options.minimumRows,
    references: options.references.map((reference) => reference._toSpec()),
    falseAlarms: options.falseAlarms._toSpec(),
    persistence: { breaches: options.breaches, windows: options.outOf },
    qualitySeconds: options.qualityWindow.toSeconds(),
    qualityRules: (qualityRules ?? []).map(qualityRuleSpec),
    groupColumns: [...new Set(options.groups.map(({ _column }) => _column))],
    groupRules: options.groups.flatMap((rule) => rule._toSpec() ?? []),
    groupMinimum: { rows: options.groupMinimumRows, perClass: GROUP_ROWS_PER_CLASS },
    featureMetrics: options.featureMetrics,
  };
};

/** @internal */
export const validateMonitor = (where: string, { modelName, platformName, task, monitoring, qualityRules = [] }: MonitorChoices): void =>
  new Validator(`ModelMonitor ${where}`)
    .name('modelName', modelName)
    .name('platformName', platformName)
    .add(qualityRules.flatMap((rule, index) => qualityRuleProblems(`qualityRules[${index}]`, rule, task._toSpec())))
    .add(sharesProblems(monitoring, qualityRules))
    .add(monitoring._problems('monitoring', task._toSpec()))
    .throwIfAny();

/**
 * What is wrong with the accepted false alarms with regard to the rules on quality.
 *
 * @internal
 */
export const sharesProblems = (monitoring: Monitoring, qualityRules: readonly QualityRule[]): Problem[] => {
  if (qualityRules.length === 0 || monitoring._options.falseAlarms._toSpec().shares.quality > 0) return [];
  const rule = 'must leave quality a share, since there are rules on it';
  return [{ rule, place: 'monitoring.falseAlarms', got: 'quality 0', fix: 'state a share, or leave the rules out' }];
};
