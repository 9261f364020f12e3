import type { MonitorSpec } from '../../../lib/monitoring/contract';
import { recorded } from '../../registry/recorded';
import type { BaselineClient } from '../baseline.client';
import { InvalidConstraints, parseConstraints } from '../constraints/file';
import type { ConstraintFile } from '../constraints/types';
import type { MonitorClient, Promotion } from '../monitor.client';
import type { BlockTable } from '../profile/types';
import type { PartContext } from './part';
import type { Window } from './windows';

/** Everything that a window is read and judged under. */
export interface WindowContext extends PartContext {
  readonly table: BlockTable;
  readonly constraints: {
    readonly file: ConstraintFile;
    readonly source: string;
    /** Why the stored file is not used. */
    readonly problem?: string;
  };
  /** The window was over before anything served: its rows were sent again later. */
  readonly replayed: boolean;
}

/** Baselines stay while the function is warm: they never change. */
const loaded = new Map<string, Promise<Pick<WindowContext, 'baseline' | 'table'>>>();
const MOST_LOADED = 2;

export class WindowContexts {
  constructor(
    private readonly client: MonitorClient,
    private readonly baselines: BaselineClient,
    private readonly spec: MonitorSpec,
    readonly promotions: readonly Promotion[],
  ) {}

  /** Under the given version; undefined where nothing serves. */
  public async of(window: Window, version: number | undefined): Promise<WindowContext | undefined> {
    if (version === undefined) return undefined;
    const { baselineUri } = recorded(await this.client.version(version));
    const { baseline, table } = await this.load(baselineUri);
    const { spec, promotions } = this;
    const constraints = await this.constraints(baseline.constraints, baselineUri);
    return { spec, promotions, window, version, baseline, table, constraints, replayed: window.end <= promotions[0].at };
  }

  private async load(uri: string): Promise<Pick<WindowContext, 'baseline' | 'table'>> {
    const known = loaded.get(uri);
    if (known !== undefined) return known;
    const loading = Promise.all([this.baselines.baseline(uri), this.baselines.blocks(uri)]).then(([baseline, table]) => ({ baseline, table }));
    if (loaded.size >= MOST_LOADED) loaded.clear();
    loaded.set(uri, loading);
    // What could not be loaded may be there the next time.
    loading.catch(() => loaded.delete(uri));
    return loading;
  }

  /** A file that somebody broke must not stop the rest of the monitor. */
  private async constraints(suggested: ConstraintFile, baselineUri: string): Promise<WindowContext['constraints']> {
    const stored = await this.client.constraints();
    if (stored === undefined) return { file: suggested, source: `suggested from ${baselineUri}` };
    try {
      return { file: parseConstraints(stored.text, stored.source), source: stored.source };
    } catch (error) {
      if (!(error instanceof InvalidConstraints)) throw error;
      return { file: { ...suggested, features: [], consistency: [] }, source: stored.source, problem: `Not checked: ${error.message}.` };
    }
  }
}
