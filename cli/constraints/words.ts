import { relationText } from '../../lambda/monitoring/constraints/findings';
import type { ConstraintFile, FeatureConstraints } from '../../lambda/monitoring/constraints/types';
import { number, percent } from '../../lambda/monitoring/words';
import { fields, shorten, strong, table } from '../format';
import type { Io } from '../io';

/** Constraints for people. */
export const constraintsText = (io: Io, file: ConstraintFile, about: Readonly<Record<string, string | undefined>> = {}): string => {
  const { columns, rowCount, freshness, dataset } = file;
  const rows = (rule: typeof rowCount): string | undefined =>
    rule && `${number(rule.atLeast ?? 0)} to ${rule.atMost === undefined ? 'any number' : number(rule.atMost)} (${rule.severity})`;
  const age = (rule: typeof freshness): string | undefined => rule && `at most ${number(rule.atMostSeconds)} s (${rule.severity})`;
  return [
    fields(io, {
      ...about,
      model: file.model,
      origin: file.origin,
      columns: columns && `${columns.names.length} must be there (${columns.severity})`,
      'rows of a window': rows(rowCount),
      'rows of a data set': rows(dataset?.rowCount),
      'age of a window': age(freshness),
      'age of a data set': age(dataset?.freshness),
    }),
    table(io, ['column', 'rules'], file.features.map((feature) => [feature.name, rulesOf(feature)])),
    ...listed(io, 'between columns', file.consistency.map((rule) => `${relationText(rule)} (${rule.severity})`)),
    ...listed(io, 'notes', file.notes ?? []),
  ].join('\n');
};

const listed = (io: Io, title: string, items: readonly string[]): string[] =>
  items.length === 0 ? [] : [`${strong(io, title)}\n${items.map((item) => `  ${item}\n`).join('')}`];

/** Errors are marked by an exclamation mark. */
function rulesOf({ type, presence, domain, range, nonNegative, unique }: FeatureConstraints): string {
  const mark = ({ severity }: { readonly severity: string }): string => (severity === 'error' ? '!' : '');
  const rules = [
    type && `${type.is}${mark(type)}`,
    presence && `present ${percent(presence.atLeast)}${mark(presence)}`,
    domain && `${domain.values.length} values${mark(domain)}: ${shorten(domain.values.join(', '), 40)}`,
    range && `${range.from ?? ''}…${range.to ?? ''}${mark(range)}`,
    nonNegative && `not negative${mark(nonNegative)}`,
    unique && `unique${mark(unique)}`,
  ];
  return rules.filter(Boolean).join('; ') || '-';
}
