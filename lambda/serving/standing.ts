import { REGISTRY_ERRORS } from '../../lib/registry/contract';
import type { ReleaseRequest, ServingSpec } from '../../lib/serving/contract';
import { NamedError } from '../common/errors';
import type { ModelRegistryClient } from '../registry/model-registry.client';
import { nextRound } from './next-round';

const conflict = (why: string): NamedError => new NamedError(REGISTRY_ERRORS.conflict, `${why}: the endpoint was left as it is`);

/**
 * Where a release stands among others: two runs can meet at one endpoint, e.g. one that was redriven, and a rollback comes at any time. The promotion
 * would refuse all but one, but only after the endpoint had moved.
 */
export class Standing {
  constructor(
    private readonly spec: Pick<ServingSpec, 'model' | 'endpointName'>,
    private readonly registry: Pick<ModelRegistryClient, 'champion' | 'getVersion'>,
  ) {}

  /** What the run goes back to the holdout with, where another champion serves than the one that its candidate was judged against. */
  async moved({ action, version, expectedChampion, rollback, prepared }: ReleaseRequest): Promise<Record<string, unknown> | undefined> {
    const champion = await this.registry.champion(this.spec.model);
    const serving = champion?.version ?? null;
    if (serving === version) return undefined;
    if (rollback) throw conflict(`version ${version} was to serve again, but version ${serving} serves now`);
    const gone = await this.gone(version);
    if (gone) throw conflict(`version ${version} ${gone}`);
    if (serving === expectedChampion) return undefined;
    if (action === 'start' && prepared !== undefined) return nextRound(prepared, champion);
    throw conflict(`version ${version} was judged against ${named(expectedChampion)}, but version ${serving} serves now`);
  }

  /** Why a version that the endpoint runs may not become the champion any more; undefined where it may. */
  async lost({ version, expectedChampion, rollback }: ReleaseRequest): Promise<string | undefined> {
    const serving = (await this.registry.champion(this.spec.model))?.version ?? null;
    if (rollback || serving === version) return undefined;
    const gone = await this.gone(version);
    if (gone) return `version ${version} ${gone}`;
    if (serving === expectedChampion) return undefined;
    return `version ${version} was judged against ${named(expectedChampion)}, but ${named(serving)} was made the champion while it was released`;
  }

  /** Why a version never becomes the champion by its own run, whatever serves. */
  private async gone(version: number): Promise<string | undefined> {
    const { state } = await this.registry.getVersion(this.spec.model, version);
    if (state === 'Archived') return 'was replaced or rolled back since it was judged; only a rollback to it brings it back';
    if (state === 'Rejected') return 'was rejected since it was judged: `mlops models history` tells why; another run makes another version';
    return undefined;
  }
}

const named = (version: number | null): string => (version === null ? 'no champion' : `version ${version}`);
