import type { BaselineFeature } from '../../lambda/monitoring/baseline/types';
import { estimateDistinct, isSkipped, type Sampler, shapesOf } from '../../lambda/monitoring/profile';
import type { Profile, Role, Shape, WatchedFeature } from '../../lambda/monitoring/profile/types';
import { UsageError } from '../errors';
import { named } from './formats';
import type { Table } from './table';

/** What the columns of both sides are for. */
export interface Roles {
  readonly time?: string;
  readonly target?: string;
  readonly prediction?: string;
  readonly groups: readonly string[];
}

export interface Feature {
  readonly name: string;
  readonly role: Role;
  readonly shape: Shape;
}

export interface Columns {
  readonly features: readonly Feature[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  readonly onlyReference: readonly string[];
  readonly onlyCurrent: readonly string[];
}

/** Name under which predictions are watched that come beside the rows. */
const PREDICTION = 'prediction';

/** Columns that are compared, by the shapes that the reference's rows give them, and why others are not. */
export function columnsOfBoth(reference: Table, current: Table, roles: Roles, sampler: Sampler, predictions?: Sampler): Columns {
  const onlyReference = reference.columns.filter((name) => !current.columns.includes(name));
  const onlyCurrent = current.columns.filter((name) => !reference.columns.includes(name));
  const common = reference.columns.filter((name) => current.columns.includes(name));
  const silent = current.isServed ? [roles.target, roles.prediction] : [];
  const made = shapesOf(sampler, common.filter((name) => name !== roles.time));
  const features: Feature[] = made.flatMap((column) => (isSkipped(column) ? [] : [{ ...column, role: roleOf(column.name, roles) }]));
  const beside = besideRows(reference, current, roles, sampler, predictions);
  return {
    features: [...features, ...(beside ? [beside] : [])],
    skipped: [
      ...made.filter(isSkipped),
      ...onlyReference.filter((name) => !silent.includes(name)).map((name) => ({ name, reason: 'the current data has no such column' })),
      ...onlyCurrent.map((name) => ({ name, reason: 'the reference has no such column' })),
      ...(roles.time === undefined ? [] : [{ name: roles.time, reason: 'the time of the rows' }]),
    ],
    onlyReference: onlyReference.filter((name) => !silent.includes(name)),
    onlyCurrent,
  };
}

const roleOf = (name: string, { target, prediction }: Roles): Role => (name === prediction ? 'prediction' : name === target ? 'target' : 'feature');

/** Predictions of recorded requests, compared with those of other requests or with a column of the reference. */
function besideRows(reference: Table, current: Table, roles: Roles, sampler: Sampler, predictions?: Sampler): Feature | undefined {
  if (!current.isServed) return undefined;
  const column = roles.prediction === undefined ? -1 : reference.columns.indexOf(roles.prediction);
  const source = reference.isServed ? predictions?.shapeOf(0) : column < 0 ? undefined : sampler.shapeOf(column);
  return !source || 'reason' in source ? undefined : { name: roles.prediction ?? PREDICTION, role: 'prediction', shape: source };
}

/** The features as they stand in a table's rows; a prediction that no column holds comes beside them. */
export const watchedIn = (table: Table, features: readonly Feature[]): WatchedFeature[] =>
  features.flatMap((feature): WatchedFeature[] => {
    const column = table.columns.indexOf(feature.name);
    if (column >= 0) return [{ ...feature, column }];
    return feature.role === 'prediction' && table.isServed ? [feature] : [];
  });

export const baselineFeatures = (features: readonly Feature[], profile: Profile, importance: ReadonlyMap<string, number>): BaselineFeature[] =>
  features.flatMap((feature): BaselineFeature[] => {
    const counts = profile.features.get(feature.name);
    if (counts === undefined) return [];
    const known = importance.get(feature.name);
    const distinct = { count: counts.sketch === undefined ? 0 : estimateDistinct(counts.sketch), exact: false };
    return [{ ...feature, counts, distinct, ...(known !== undefined && feature.role === 'feature' && { importance: known }) }];
  });

/** The columns that options name must be there. */
export function requireColumns(table: Table, wanted: readonly (readonly [option: string, column: string | undefined])[]): void {
  for (const [option, column] of wanted) {
    if (column !== undefined && !table.columns.includes(column)) {
      throw new UsageError(`${table.place} has no column "${column}" (${option})`, `its columns: ${named(table.columns)}`);
    }
  }
}
