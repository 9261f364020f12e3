import type { DataManifest } from '../../lib/artifacts/contract';
import type { HistoryEntry, ModelVersion, RegisteredModel } from '../../lib/registry/contract';
import type { LineageEdge, RunRecord } from '../../lib/tracking/contract';

/**
 * Tags of a version, or of its model for all versions, with what only people can say. A version's own tag goes before the model's.
 * Published: docs/schemas/model-version.schema.json describes them as `card`.
 */
export const CARD_TAGS = {
  intendedUse: 'mlops.card.intendedUse',
  outOfScopeUse: 'mlops.card.outOfScopeUse',
  limitations: 'mlops.card.limitations',
  riskRating: 'mlops.card.riskRating',
  risks: 'mlops.card.risks',
  mitigations: 'mlops.card.mitigations',
  ethics: 'mlops.card.ethics',
  contact: 'mlops.card.contact',
} as const;

export type CardTexts = Partial<Record<keyof typeof CARD_TAGS, string>>;

/** What was read about a version; what could not be read is absent. */
export interface VersionSources {
  readonly platform: string;
  readonly model: RegisteredModel;
  readonly version: ModelVersion;
  /** Of the model, oldest first. */
  readonly history: readonly HistoryEntry[];
  readonly madeFrom: readonly Traced[];
  readonly wentTo: readonly Traced[];
  readonly run?: RunRecord;
  readonly data?: DataManifest;
  readonly gateReport?: GateReport;
}

/** An edge of the lineage with those behind it. */
export interface Traced extends LineageEdge {
  readonly next: readonly Traced[];
}

/** What the card takes from the gate's report. */
export interface GateReport {
  readonly rows?: number;
  readonly championVersion?: number | null;
  readonly championMetrics?: Readonly<Record<string, number>>;
  readonly rules?: readonly { readonly text: string; readonly passed: boolean }[];
}

export interface GroupMetric {
  readonly metric: string;
  readonly column: string;
  readonly group: string;
  readonly value: number;
}

/** Who let a version pass, and who did not. */
export interface Decision {
  readonly at: string;
  readonly actor: string;
  readonly action: HistoryEntry['action'];
  readonly reason: string;
  readonly evidenceUri?: string;
}

/** When a version served; without an end it serves still. */
export interface ServedPeriod {
  readonly from: string;
  readonly to?: string;
}

/** The full record of one version: docs/schemas/model-version.schema.json is its schema. */
export interface VersionDocument {
  readonly schemaVersion: 1;
  readonly platform: string;
  readonly model: RegisteredModel;
  readonly version: ModelVersion;
  readonly history: readonly HistoryEntry[];
  readonly decisions: readonly Decision[];
  readonly served: readonly ServedPeriod[];
  readonly lineage: { readonly madeFrom: readonly Traced[]; readonly wentTo: readonly Traced[] };
  readonly groupMetrics: readonly GroupMetric[];
  readonly card: CardTexts;
  readonly run?: RunRecord;
  readonly data?: DataManifest;
  readonly gateReport?: GateReport;
}

const DECISIONS: readonly HistoryEntry['action'][] = ['Endorsed', 'Approved', 'Rejected', 'Promoted', 'RolledBack', 'Archived'];

export const versionDocument = (sources: VersionSources): VersionDocument => {
  const { platform, model, version, history, madeFrom, wentTo, run, data, gateReport } = sources;
  const own = history.filter((entry) => entry.version === version.version);
  const decisions = own
    .filter(({ action }) => DECISIONS.includes(action))
    .map(({ at, actor, action, reason, evidenceUri }): Decision => ({ at, actor, action, reason, ...(evidenceUri && { evidenceUri }) }));
  return {
    schemaVersion: 1,
    platform,
    model,
    version,
    history: own,
    decisions,
    served: servedPeriods(version.version, history),
    lineage: { madeFrom, wentTo },
    groupMetrics: groupMetrics(version.metrics ?? {}),
    card: cardTexts(model, version),
    ...(run && { run }),
    ...(data && { data }),
    ...(gateReport && { gateReport }),
  };
};

const cardTexts = (model: RegisteredModel, version: ModelVersion): CardTexts =>
  Object.fromEntries(
    Object.entries(CARD_TAGS)
      .map(([section, tag]) => [section, version.tags[tag] ?? model.tags[tag]] as const)
      .filter(([, text]) => text !== undefined && text.trim() !== ''),
  );

/** From the moves of the champion pointer: a period ends where the next one begins. */
export const servedPeriods = (version: number, history: readonly HistoryEntry[]): ServedPeriod[] => {
  const moves = history.filter(({ toState }) => toState === 'Production');
  return moves.flatMap((entry, index) =>
    entry.version !== version || moves[index - 1]?.version === version
      ? []
      : [{ from: entry.at, ...endOf(moves.slice(index + 1).find((later) => later.version !== version)) }],
  );
};

const endOf = (next: HistoryEntry | undefined): { to?: string } => (next ? { to: next.at } : {});

/** Metrics of a group are named `<metric>/<column>:<group>`. */
export const groupMetrics = (metrics: Readonly<Record<string, number>>): GroupMetric[] =>
  Object.entries(metrics).flatMap(([name, value]) => {
    const [, metric, column, group] = /^([^/]+)\/([^:]+):(.+)$/.exec(name) ?? [];
    return metric === undefined ? [] : [{ metric, column, group, value }];
  });
