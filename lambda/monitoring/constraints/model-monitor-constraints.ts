import type { InferredType, ModelMonitorConstraints } from './model-monitor-schemas';
import type { ConstraintFile, FeatureConstraints, ValueType } from './types';

/** A translation, with all that the other format cannot say. */
export interface Translated<T> {
  readonly document: T;
  readonly lost: readonly string[];
}

type Configuration = NonNullable<ModelMonitorConstraints['monitoring_config']>;

const TYPES: Readonly<Record<InferredType, ValueType | undefined>> = {
  Integral: 'integral',
  Fractional: 'fractional',
  String: 'string',
  Unknown: undefined,
};

/**
 * Rules of a constraints.json. A threshold is the share that has to match, so one less the threshold may differ. Model Monitor knows no severity:
 * types, columns and completeness of 1 become errors, the rest warnings.
 */
export function fromModelMonitor(document: ModelMonitorConstraints, model: string): Translated<ConstraintFile> {
  const common = document.monitoring_config ?? {};
  const lost = configurationLost(common, 'monitoring_config');
  const features = document.features.map((feature): FeatureConstraints => {
    const overrides = feature.monitoringConfigOverrides ?? feature.monitoring_config_overrides ?? {};
    lost.push(...configurationLost(overrides, `features.${feature.name}.monitoringConfigOverrides`));
    const { datatype_check_threshold: types = 1, domain_content_threshold: domains = 1 } = { ...common, ...overrides };
    const is = TYPES[feature.inferred_type];
    const values = feature.string_constraints?.domains ?? [];
    const { completeness } = feature;
    if (is === undefined) lost.push(`features.${feature.name}.inferred_type: ${feature.inferred_type}, so no type is checked`);
    return {
      name: feature.name,
      ...(is && { type: { is, allowedShare: rest(types), severity: 'error' } }),
      ...(completeness !== undefined && { presence: { atLeast: completeness, severity: completeness === 1 ? 'error' : 'warning' } }),
      ...(values.length > 0 && { domain: { values, allowedUnseenShare: rest(domains), severity: 'warning' } }),
      ...(feature.num_constraints?.is_non_negative && { nonNegative: { severity: 'warning' } }),
    };
  });
  const file: ConstraintFile = {
    ...{ schemaVersion: 1, model, origin: "SageMaker Model Monitor's constraints.json", features, consistency: [] },
    columns: { names: features.map(({ name }) => name), severity: 'error' },
    ...(lost.length > 0 && { notes: lost.map((item) => `not taken over: ${item}`) }),
  };
  return { document: file, lost };
}

function configurationLost({ evaluate_constraints, emit_metrics, distribution_constraints: drift }: Configuration, where: string): string[] {
  return [
    ...(evaluate_constraints === 'Disabled' ? [`${where}.evaluate_constraints: Disabled; what is in the file is checked`] : []),
    ...(emit_metrics === 'Disabled' ? [`${where}.emit_metrics: Disabled; the monitor publishes its own metrics`] : []),
    ...(drift ? [`${where}.distribution_constraints: drift is judged against blocks of the baseline, not by a fixed threshold`] : []),
  ];
}

const rest = (share: number): number => Number((1 - share).toPrecision(12));

/** A constraints.json with the rules that it can state. */
export function toModelMonitor(file: ConstraintFile): Translated<ModelMonitorConstraints> {
  const lost = [
    ...(file.rowCount ? ['rowCount'] : []),
    ...(file.freshness ? ['freshness'] : []),
    ...(file.dataset ? ['dataset'] : []),
    ...file.consistency.map(({ left, relation, right }) => `consistency: ${left} ${relation} ${right}`),
  ];
  const features = file.features.map((feature) => {
    const { name, type, presence, domain, nonNegative } = feature;
    for (const rule of ['range', 'unique'] as const) if (feature[rule]) lost.push(`features.${name}.${rule}`);
    if (type?.is === 'boolean') lost.push(`features.${name}.type: boolean is written as String`);
    const overrides = {
      ...(type && type.allowedShare > 0 && { datatype_check_threshold: rest(type.allowedShare) }),
      ...(domain && domain.allowedUnseenShare > 0 && { domain_content_threshold: rest(domain.allowedUnseenShare) }),
    };
    return {
      name,
      inferred_type: inferredType(type?.is),
      ...(presence && { completeness: presence.atLeast }),
      ...(nonNegative && { num_constraints: { is_non_negative: true } }),
      ...(domain && { string_constraints: { domains: [...domain.values] } }),
      ...(Object.keys(overrides).length > 0 && { monitoringConfigOverrides: overrides }),
    };
  });
  const severities = new Set(file.features.flatMap(({ name: _, ...rules }) => Object.values(rules).map(({ severity }) => severity)));
  if (severities.size > 1) lost.push('severities');
  const document: ModelMonitorConstraints = {
    version: 0,
    features,
    monitoring_config: {
      evaluate_constraints: 'Enabled',
      emit_metrics: 'Enabled',
      datatype_check_threshold: 1,
      domain_content_threshold: 1,
      distribution_constraints: { perform_comparison: 'Disabled' },
    },
  };
  return { document, lost };
}

export function inferredType(type: ValueType | undefined): InferredType {
  if (type === undefined) return 'Unknown';
  if (type === 'integral') return 'Integral';
  return type === 'fractional' ? 'Fractional' : 'String';
}
