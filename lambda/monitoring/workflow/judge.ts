import type { ConstraintViolation, MonitorAnswer, MonitorResult, MonitorSpec } from '../../../lib/monitoring/contract';
import { MONITORING_KEYS } from '../../../lib/monitoring/contract';
import type { JudgeInput, ShardRef } from '../../../lib/monitoring/workflow/contract';
import type { BaselineClient } from '../baseline.client';
import { checkProfile, constraintsVerdict } from '../constraints/check-profile';
import { columnCountViolation } from '../constraints/findings';
import { toViolations } from '../constraints/model-monitor';
import { nextEpisodes } from '../drift/episodes';
import { judgeDrift } from '../drift/judge';
import type { JudgedComparison } from '../drift/types';
import type { CountInvocations } from '../invocations.client';
import type { MonitorClient } from '../monitor.client';
import { encodeProfile } from '../profile';
import { Rejections } from '../rejections';
import { renderReport } from '../report/render';
import { trendPointOf } from '../report/types';
import { alarmsOf } from './alarms';
import { answerOf } from './answer';
import { type Content, mergeShards, readContent } from './content';
import { type WindowContext, WindowContexts } from './contexts';
import { exclusively } from './exclusive';
import { encodeBlock, FILES, history, type History, toldEpisodes, type WindowMemory } from './files';
import { watchedFeatures } from './part';
import { knownRanges } from './plan';
import { announce, publishMetrics, type Publisher } from './publish';
import { isQualityDue, judgeLabelled, type Labelled, labelledDigest, windowBefore } from './quality';
import { captureHours, digestOf, type KnownRanges, labelHours, rangesOf, type ReadRange, type SourceObject } from './sources';
import { statesOf } from './states';
import { servingVersion } from './versions';
import { type Window, windowOf } from './windows';

export interface JudgePorts {
  readonly platform: string;
  readonly spec: MonitorSpec;
  readonly client: MonitorClient;
  readonly baselines: BaselineClient;
  readonly countInvocations: CountInvocations;
  readonly publisher: Publisher;
}

/** What a window was found to hold, and under which version. */
interface Read {
  readonly context?: WindowContext;
  readonly content?: Content;
  /** Of every listed object. */
  readonly ranges: readonly ReadRange[];
}

const NO_CONSTRAINTS = { verdict: 'no-constraints' as const, violations: [] };

/**
 * Judges one window, writes what it found, publishes it, and announces episodes that begin. The same objects give the same result. While another
 * execution judges a window of the model it fails with MONITOR_ERRORS.busy.
 */
export const judge = (ports: JudgePorts, input: JudgeInput): Promise<MonitorAnswer> =>
  exclusively(ports.client, ports.publisher.now, () => judgeAlone(ports, input));

async function judgeAlone(ports: JudgePorts, input: JudgeInput): Promise<MonitorAnswer> {
  const { client, spec } = ports;
  const window = windowOf(input.window);
  const told = await toldEpisodes(client, spec, window);
  const labels = await client.labels(labelHours(spec, window));
  const { context, content, ranges } = await readWindow(ports, window, input.window.manifest);
  const before = await history(client, spec, window, context?.baseline);

  const rejections = new Rejections();
  if (content !== undefined) rejections.merge(content.part.rejected, content.part.rejectedSamples);
  const copied = await labelledBefore(ports, window, context?.version);
  const labelled =
    copied ??
    (await judgeLabelled({
      ...ports,
      window,
      rejections,
      labels,
      scored: content?.scored ?? new Uint8Array(0),
      ...(context && { version: context.version, holdout: context.baseline.holdout }),
    }));
  const takenOver = copied && labelledDigest(copied);
  const drift = judgeWindowDrift(ports, window, context, content, before);
  // Of shards those that were planned: objects that came since are of the window too, and were not read.
  const own = rangesOf(window, content?.part.ranges ?? ranges);
  const recorded = requestsWithin(window, ranges);
  const invocations = spec.servingKind === 'REAL_TIME' && context !== undefined ? await ports.countInvocations(spec, window) : undefined;
  const part = content?.part;
  const rejected = sorted(rejections.counts());
  const base = {
    schemaVersion: 2 as const,
    platform: ports.platform,
    model: spec.model,
    ...(context && { version: context.version }),
    windowStart: new Date(window.start).toISOString(),
    windowEnd: new Date(window.end).toISOString(),
    sources: digestOf(
      [...own, ...labels],
      ...[String(context?.version), context?.baseline.runId ?? '', context?.constraints.source ?? '', takenOver ?? []].flat(),
    ),
    requests: part?.counts.requests ?? 0,
    rows: part?.counts.rows ?? 0,
    ...(invocations !== undefined && { invocations }),
    servedBy: part?.counts.servedBy ?? [],
    states: part && context ? statesOf({ spec, part, rejected, recorded, invocations, replayed: context.replayed, quality: labelled.quality }) : [],
    rejected,
    rejectedSamples: sorted(rejections.samples()),
    drift: drift.result,
    ...labelled,
    constraints: judgeConstraints(spec, window, { context, content, ranges }),
    resultUri: client.windowUri(window, MONITORING_KEYS.result),
    reportUri: client.windowUri(window, MONITORING_KEYS.report),
  };
  const { open, begun } = nextEpisodes(before.episodes, alarmsOf(spec, base), context?.version ?? 0, window.start, spec);
  const result: MonitorResult = { ...base, episodes: open };
  const fresh = begun.filter(({ rule, key, version }) => !told.some((one) => one.rule === rule && one.key === key && one.version === version));

  await keep(ports, window, result, { context, content, ranges, labels, own, comparisons: drift.comparisons, before });
  publishMetrics(ports.publisher, spec, result, byImportance(context));
  // Announced before the window counts as judged: a run that fails in between announces again, and never forgets.
  await announce(ports.publisher, result, fresh);
  const memory: WindowMemory = {
    ...(context && { version: context.version, runId: context.baseline.runId }),
    captures: digestOf(own),
    labels: digestOf(labels),
    labelled: labelledDigest(labelled),
    ...(takenOver !== undefined && { takenOver }),
    episodes: open,
    trend: trendPointOf(result),
  };
  await client.putJson(result.resultUri, result);
  await client.putJson(client.windowUri(window, FILES.memory), memory);
  return answerOf(result);
}

/** Quality and groups of the window before, where they are not due in this one and the same version served. */
async function labelledBefore(
  { client, spec }: JudgePorts,
  window: Window,
  version: number | undefined,
): Promise<Labelled | undefined> {
  if (isQualityDue(spec, window)) return undefined;
  const before = await client.result(windowBefore(spec, window));
  return before === undefined || before.version !== version ? undefined : { quality: before.quality, groups: before.groups };
}

/** Reads the window's objects, or takes what its shards found, under the baseline of the version that is judged. */
async function readWindow(ports: JudgePorts, window: Window, manifest: JudgeInput['window']['manifest']): Promise<Read> {
  const { client, spec } = ports;
  const contexts = new WindowContexts(client, ports.baselines, spec, await client.promotions());
  const known = await knownRanges(client, spec, [window]);
  const captures = await client.captures(spec, captureHours(spec, window));
  const shards = manifest && (await client.json<ShardRef[]>(`s3://${manifest.bucket}/${manifest.key}`));
  const wanted = known.wanted(window, captures);
  const read = async (version: number | undefined): Promise<Read> => {
    const context = await contexts.of(window, version);
    if (context === undefined) return { ranges: known.rangesOf(captures) };
    const content = await (shards === undefined ? readContent(client, context, wanted) : mergeShards(client, context, shards));
    return { context, content, ranges: together(known, captures, content) };
  };
  const assumed = shards === undefined ? servingVersion(contexts.promotions, window, known.rangesOf(captures)) : shards[0]?.version;
  const first = await read(assumed);
  // Of rows that were replayed only reading tells which version answered them last.
  const version = servingVersion(contexts.promotions, window, first.content?.part.ranges ?? first.ranges);
  return version === assumed ? first : read(version);
}

/** What is known of all listed objects now. */
function together(known: KnownRanges, captures: readonly SourceObject[], { part }: Content): ReadRange[] {
  known.add(part.ranges);
  const read = new Set(part.ranges.map(({ key }) => key));
  return [...part.ranges, ...known.rangesOf(captures.filter(({ key }) => !read.has(key)))].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function judgeWindowDrift(
  { spec }: JudgePorts,
  window: Window,
  context: WindowContext | undefined,
  content: Content | undefined,
  { blocks }: History,
): { result: MonitorResult['drift']; comparisons: readonly JudgedComparison[] } {
  if (context === undefined || content === undefined) {
    const reason = 'No version serves yet: there is no baseline to compare with.';
    return { result: { verdict: 'no-baseline', reason, comparisons: [], skipped: [] }, comparisons: [] };
  }
  const { baseline, table } = context;
  return judgeDrift({ spec, baseline, table, recent: blocks, window: { ...window, profile: content.part.profile } });
}

function judgeConstraints(spec: MonitorSpec, window: Window, { context, content }: Read): MonitorResult['constraints'] {
  if (context === undefined || content === undefined) {
    return { ...NO_CONSTRAINTS, reason: 'No version serves yet: there is no baseline that suggests constraints.', source: 'none' };
  }
  const { file, source, problem } = context.constraints;
  const { part } = content;
  if (problem !== undefined) return { verdict: 'violated', reason: problem, source, violations: [unreadable(problem)] };
  const columns = columnCountViolation(file, part.rejected['column-count'] ?? 0, part.counts.rows);
  if (part.counts.rows === 0 && columns === undefined) {
    return { verdict: 'no-traffic', reason: 'No recorded request falls into the window.', source, violations: [] };
  }
  const counted = checkProfile(file, watchedFeatures(context.baseline), part.profile, {
    rows: part.counts.rows,
    minimumRows: spec.minimumRows,
    windowEnd: window.end,
    pairs: part.pairs,
    ...(part.counts.newestRow !== undefined && { newestRow: part.counts.newestRow }),
  });
  const violations = columns === undefined ? counted : [columns, ...counted];
  return { ...constraintsVerdict(violations), source, violations };
}

/** Rules that nobody can read keep nothing: that must not look like data that kept them. */
const unreadable = (problem: string): ConstraintViolation => ({
  constraint: 'file',
  severity: 'error',
  observed: 'a file that is not valid',
  allowed: 'a valid file, or none',
  description: problem,
});

interface Kept {
  readonly context?: WindowContext;
  readonly content?: Content;
  readonly ranges: readonly ReadRange[];
  readonly labels: readonly SourceObject[];
  readonly own: readonly ReadRange[];
  readonly comparisons: readonly JudgedComparison[];
  readonly before: History;
}

/** Everything but the result itself, which is written last. */
async function keep({ client, spec }: JudgePorts, window: Window, result: MonitorResult, kept: Kept): Promise<void> {
  const { context, content } = kept;
  const put = (name: string, bytes: Uint8Array): Promise<void> => client.putBytes(client.windowUri(window, name), bytes);
  const report = renderReport(result, {
    spec,
    comparisons: kept.comparisons,
    trend: kept.before.trend,
    ...(context && { baseline: context.baseline }),
  });
  await Promise.all([
    client.putReport(result.reportUri, report),
    client.putJson(client.windowUri(window, FILES.violations), toViolations(result.constraints.violations, driftedOf(result)).document),
    client.putJson(client.windowUri(window, FILES.objects), kept.ranges),
    ...(context !== undefined && content !== undefined
      ? [
          put(MONITORING_KEYS.profile(context.baseline.runId), encodeProfile(content.part.profile, watchedFeatures(context.baseline))),
          put(FILES.block(context.baseline.runId), encodeBlock(window, content.part.profile, context.baseline, spec)),
          put(MONITORING_KEYS.scored, content.scored),
        ]
      : []),
  ]);
}

/** Features that drifted, with why, as Model Monitor lists them among violations. */
const driftedOf = ({ drift }: MonitorResult): { readonly name: string; readonly reason: string }[] => {
  const comparisons = drift.comparisons.filter(({ verdict }) => verdict === 'drift');
  const alarming = comparisons.flatMap(({ features }) => features.filter(({ drifted }) => drifted));
  return [...new Map(alarming.map(({ name, reason }) => [name, { name, reason }])).values()];
};

const requestsWithin = (window: Window, ranges: readonly ReadRange[]): number =>
  ranges
    .flatMap(({ hours = {} }) => Object.entries(hours))
    .reduce((sum, [hour, requests]) => (Number(hour) * 3_600_000 >= window.start && Number(hour) * 3_600_000 < window.end ? sum + requests : sum), 0);

const byImportance = (context: WindowContext | undefined): string[] =>
  (context?.baseline.features ?? [])
    .filter(({ role }) => role === 'feature')
    .sort((a, b) => (b.importance ?? 0) - (a.importance ?? 0) || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);

const sorted = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
