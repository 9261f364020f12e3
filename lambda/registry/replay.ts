import { CHAMPION_ALIAS, HistoryEntry, VersionState } from '../../lib/registry/contract';

/** A version as the history tells of it. */
export interface ReplayedVersion {
  readonly state: VersionState;
  readonly recordSha256?: string;
  readonly deleted?: boolean;
}

/** What a history says that a model is now: works out its name, versions, states and aliases, entry by entry. */
export class Replay {
  public name?: string;
  public deleted = false;
  public readonly versions = new Map<number, ReplayedVersion>();
  public readonly aliases = new Map<string, number>();

  /** Takes the next entry; answers what does not fit what came before. */
  public take(entry: HistoryEntry): string | undefined {
    const { action, version = 0, toState, fromState, recordSha256, change } = entry;
    const before = this.versions.get(version);
    switch (action) {
      case 'Created':
      case 'Renamed':
        this.name = change?.to;
        return undefined;
      case 'Deleted':
        this.deleted = true;
        this.aliases.clear();
        return undefined;
      case 'Registered':
        if (before || version !== this.versions.size + 1 || !toState) return `registers v${version} after ${this.versions.size} versions`;
        this.versions.set(version, { state: toState, recordSha256 });
        return undefined;
      case 'Adopted':
        this.archiveServing();
        this.aliases.delete(CHAMPION_ALIAS);
        return undefined;
      case 'AliasSet':
        this.aliases.set(aliasIn(entry), version);
        return undefined;
      case 'AliasDeleted':
        this.aliases.delete(aliasIn(entry));
        return undefined;
      case 'Completed':
      case 'ApprovalRequested':
      case 'Endorsed':
      case 'Approved':
      case 'Rejected':
      case 'Archived':
      case 'Promoted':
      case 'RolledBack':
      case 'VersionDeleted':
        if (!before || before.deleted) return `is about v${version}, which there is not`;
        if (before.state !== fromState) return `says that v${version} was ${fromState}, before it was ${before.state}`;
        return this.move(entry, version, before);
      default:
        return undefined;
    }
  }

  private move({ action, toState }: HistoryEntry, version: number, before: ReplayedVersion): undefined {
    if (action === 'VersionDeleted') {
      this.versions.set(version, { ...before, deleted: true });
      for (const [alias, number] of this.aliases) if (number === version) this.aliases.delete(alias);
      return;
    }
    if (toState === 'Production') {
      this.archiveServing();
      this.aliases.set(CHAMPION_ALIAS, version);
    }
    this.versions.set(version, { ...before, state: toState ?? before.state });
  }

  private archiveServing(): void {
    for (const [version, replayed] of this.versions) {
      if (replayed.state === 'Production' && !replayed.deleted) this.versions.set(version, { ...replayed, state: 'Archived' });
    }
  }
}

const aliasIn = ({ change }: HistoryEntry): string => change?.what.replace(/^alias /, '') ?? '';
