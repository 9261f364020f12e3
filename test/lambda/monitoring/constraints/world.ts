import type { BaselineFeature } from '../../../../lambda/monitoring/baseline/types';
import { pairCandidates } from '../../../../lambda/monitoring/constraints/candidates';
import { checkProfile, type ProfileContext } from '../../../../lambda/monitoring/constraints/check-profile';
import { RowChecker } from '../../../../lambda/monitoring/constraints/check-rows';
import type { Fold } from '../../../../lambda/monitoring/constraints/folds';
import { PairCounter } from '../../../../lambda/monitoring/constraints/pairs';
import { suggestConstraints, type SuggestionInput } from '../../../../lambda/monitoring/constraints/suggest';
import type { ConstraintFile } from '../../../../lambda/monitoring/constraints/types';
import { DistinctCounter, mergeProfiles, Profiler, Sampler, shapesOf } from '../../../../lambda/monitoring/profile';
import type { Profile, WatchedFeature } from '../../../../lambda/monitoring/profile/types';
import type { Cell } from '../../../../lambda/monitoring/rows';

export type Table = readonly (readonly Cell[])[];

/** Counters of a table, made as the baseline makes them. */
export function profiled(columns: readonly string[], rows: Table, folds = 5) {
  const sampler = new Sampler(columns);
  rows.forEach((row) => sampler.cells(row));
  const watched = shapesOf(sampler).flatMap((made): WatchedFeature[] =>
    'shape' in made ? [{ name: made.name, role: 'feature', column: columns.indexOf(made.name), shape: made.shape }] : [],
  );
  const distinct = new DistinctCounter(columns.length);
  rows.forEach((row) => distinct.cells(row));
  const size = Math.ceil(rows.length / folds);
  const parts = Array.from({ length: folds }, (_, fold) => rows.slice(fold * size, (fold + 1) * size));
  const profiles = parts.map((part) => profileOf(watched, part));
  const all = profiles.reduce(mergeProfiles);
  const counts = distinct.toDistinct();
  const features = watched.map(
    ({ name, role, column, shape }): BaselineFeature => ({ name, role, shape, counts: all.features.get(name)!, distinct: counts[column!] }),
  );
  const pairs = pairCandidates(features);
  const foldsOf = parts.map((part, index): Fold => {
    const counter = new PairCounter(columns, pairs, true);
    part.forEach((row) => counter.cells(row));
    return { profile: profiles[index], pairs: counter.counts() };
  });
  return { watched, features, profile: all, folds: foldsOf };
}

export function profileOf(watched: readonly WatchedFeature[], rows: Table): Profile {
  const profiler = new Profiler(watched);
  rows.forEach((row) => profiler.cells(row));
  return profiler.toProfile();
}

export function suggested(columns: readonly string[], rows: Table, more: Partial<SuggestionInput> = {}): ConstraintFile {
  const { features, folds } = profiled(columns, rows);
  return suggestConstraints({ model: 'Demand', rows: rows.length, columns, features, folds, ...more });
}

export const judge = (file: ConstraintFile, watched: readonly WatchedFeature[], profile: Profile, more: Partial<ProfileContext> = {}) =>
  checkProfile(file, watched, profile, { rows: profile.rows, minimumRows: 100, windowEnd: 0, ...more });

/** Findings of every row, and the verdict on all. */
export function checkRows(file: ConstraintFile, columns: readonly string[], rows: Table) {
  const checker = new RowChecker(file, columns);
  const findings = rows.map((row, index) => checker.check(row, `row ${index + 1}`));
  return { findings, violations: checker.finish({}) };
}

/** Numbers that look random and are the same every time. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 1 | state) + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
