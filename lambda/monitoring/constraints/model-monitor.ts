import type { ConstraintViolation } from '../../../lib/monitoring/contract';
import type { Translated } from './model-monitor-constraints';
import type { ModelMonitorViolations } from './model-monitor-schemas';

export { fromModelMonitor, toModelMonitor, type Translated } from './model-monitor-constraints';
export {
  ConstraintsSchema,
  type ModelMonitorConstraints,
  type ModelMonitorStatistics,
  type ModelMonitorViolations,
  readDocument,
  StatisticsSchema,
  ViolationsSchema,
} from './model-monitor-schemas';
export { fromStatistics, toStatistics } from './model-monitor-statistics';

const CHECK_TYPES: Readonly<Record<string, string>> = {
  type: 'data_type_check',
  presence: 'completeness_check',
  domain: 'categorical_values_check',
};

/**
 * A constraint_violations.json. Its check types are a closed list: what has none of them (ranges, uniqueness, rows, freshness, consistency) is named
 * as lost.
 *
 * @param drifted features that drifted, each with the reason
 */
export function toViolations(
  violations: readonly ConstraintViolation[],
  drifted: readonly { readonly name: string; readonly reason: string }[] = [],
): Translated<ModelMonitorViolations> {
  const written = violations.flatMap((violation) => {
    const { feature = '', description } = violation;
    const type = checkType(violation);
    return type === undefined ? [] : [{ feature_name: feature, constraint_check_type: type, description }];
  });
  const drift = drifted.map(({ name, reason }) => ({ feature_name: name, constraint_check_type: 'baseline_drift_check', description: reason }));
  const lost = violations.filter((violation) => checkType(violation) === undefined).map(({ description }) => description);
  return { document: { violations: [...written, ...drift] }, lost };
}

/**
 * Violations that Model Monitor has found. It knows no severity: all are errors, but added columns. A check type that is none of ours, such as drift,
 * stands as it is.
 */
export function fromViolations({ violations }: ModelMonitorViolations): ConstraintViolation[] {
  return violations.map(({ feature_name: feature, constraint_check_type: type, description }) => {
    const isAdded = type === 'extra_column_check';
    const isColumn = isAdded || type === 'missing_column_check';
    const [constraint] = Object.entries(CHECK_TYPES).find(([, name]) => name === type) ?? [isColumn ? 'columns' : type];
    const [observed, allowed] = isColumn ? (isAdded ? ['present', 'absent'] : ['absent', 'present']) : ['see the description', 'see the description'];
    return { feature, constraint, severity: isAdded ? 'warning' : 'error', observed, allowed, description };
  });
}

function checkType({ constraint, observed }: ConstraintViolation): string | undefined {
  if (constraint === 'columns') return observed === 'absent' ? 'missing_column_check' : 'extra_column_check';
  return CHECK_TYPES[constraint];
}
