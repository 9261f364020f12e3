import { ARTIFACTS_ENV, releaseReportKey } from '../../lib/artifacts/contract';
import { REGISTRY_ERRORS } from '../../lib/registry/contract';
import { RELEASE_TAG, type ReleaseRequest, type ServingSpec } from '../../lib/serving/contract';
import { requireEnv } from '../common/env';
import type { S3Files } from '../common/s3.client';
import type { ModelRegistryClient } from '../registry/model-registry.client';
import { busy, type ReleaseFailure } from './release-failure';

type By = Pick<ReleaseRequest, 'runId' | 'redriveCount'>;

const ACTOR = 'pipeline';
/** Tags hold 5,000 characters, and reasons are read in tables. */
const LONGEST_REASON = 1_000;

/** What became of releases, on the record of their versions, with a report as evidence. */
export class ReleaseRecord {
  constructor(
    private readonly spec: Pick<ServingSpec, 'model' | 'endpointName'>,
    private readonly parts: {
      readonly registry: Pick<ModelRegistryClient, 'getVersion' | 'setVersionTag' | 'transition'>;
      readonly files: Pick<S3Files, 'putJson'>;
    },
  ) {}

  /** The version stays approved, since a redrive releases it without asking anybody again; the tag tells what became of it. */
  async failed(request: ReleaseRequest, { wanted, found, reason }: ReleaseFailure): Promise<void> {
    const { version, redriveCount } = request;
    const evidenceUri = await this.report(request, version, { outcome: 'failed', wanted, found, reason });
    const value = `failed${redriveCount > 0 ? ` in redrive ${redriveCount}` : ''}: ${reason}`.slice(0, LONGEST_REASON);
    const change = { actor: ACTOR, reason: `release failed (${nameOf(request)}): ${reason}`.slice(0, LONGEST_REASON), evidenceUri };
    await this.parts.registry.setVersionTag(this.spec.model, version, RELEASE_TAG, value, change);
  }

  /** Only a version whose release had failed before is told of. */
  async released(request: ReleaseRequest): Promise<void> {
    const { model, endpointName } = this.spec;
    const { version } = request;
    const { tags } = await this.parts.registry.getVersion(model, version);
    if (tags?.[RELEASE_TAG] === undefined || tags[RELEASE_TAG] === 'released') return;
    const change = { actor: ACTOR, reason: `endpoint ${endpointName} runs and answers as version ${version} after all (${nameOf(request)})` };
    await this.parts.registry.setVersionTag(model, version, RELEASE_TAG, 'released', change);
  }

  /**
   * No run, redriven or not, promotes the version from now on: what has begun to take its place must not be met by its promotion. Answers whether the
   * rules of the model allow that. May be repeated.
   */
  async callOff(request: ReleaseRequest, version: number, reason: string): Promise<boolean> {
    const { model } = this.spec;
    const evidenceUri = await this.report(request, version, { outcome: 'called off', reason });
    try {
      const change = { actor: ACTOR, reason: `${reason} (${nameOf(request)})`, evidenceUri, expectedState: 'Approved' as const };
      await this.parts.registry.transition(model, version, 'Rejected', change);
      return true;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error.name === REGISTRY_ERRORS.forbidden) return false;
      if (error.name === REGISTRY_ERRORS.illegalTransition) throw busy(`${error.message}: the endpoint is looked at anew`);
      throw error;
    }
  }

  private async report(by: By, version: number, told: object): Promise<string | undefined> {
    if (by.runId === undefined) return undefined;
    const { model, endpointName } = this.spec;
    const uri = `s3://${requireEnv(ARTIFACTS_ENV.reportsBucket)}/${releaseReportKey(model, by.runId, version, by.redriveCount)}`;
    const at = new Date().toISOString();
    await this.parts.files.putJson(uri, { model, version, endpointName, runId: by.runId, redriveCount: by.redriveCount, at, ...told });
    return uri;
  }
}

const nameOf = ({ runId }: By): string => (runId === undefined ? 'no run' : `run ${runId}`);
