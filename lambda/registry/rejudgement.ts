import { type ModelVersion, REGISTRY_ERRORS } from '../../lib/registry/contract';
import { NamedError } from '../common/errors';
import type { ModelRegistryClient } from './model-registry.client';

export interface Judgement {
  readonly passed: boolean;
  readonly reason: string;
  readonly reportUri: string;
}

/** A candidate's version keeps its first report in its record, and those of later judgements in tags. */
const roundTag = (round: number): string => `mlops.gate.round-${round}`;
const ROUND_TAG = /^mlops\.gate\.round-(\d+)$/;

/** Report of the last judgement of a version. */
export const latestReport = ({ gate, tags }: Pick<ModelVersion, 'gate' | 'tags'>): string | undefined => {
  const rounds = Object.keys(tags).flatMap((key) => ROUND_TAG.exec(key)?.[1] ?? []);
  return rounds.length === 0 ? gate?.reportUri : tags[roundTag(Math.max(...rounds.map(Number)))];
};

/** A candidate that met another champion than the one it was judged against keeps its version; what changes is the verdict. May be repeated. */
export class Rejudgement {
  constructor(private readonly registry: Pick<ModelRegistryClient, 'versionsOfRun' | 'transition' | 'setVersionTag' | 'getVersion'>) {}

  async record(model: string, runId: string, round: number, { passed, reason, reportUri }: Judgement): Promise<ModelVersion> {
    const found = (await this.registry.versionsOfRun(runId)).find((version) => version.model === model);
    if (!found) throw new NamedError(REGISTRY_ERRORS.notFound, `run ${runId} was judged once more, but has registered no version of ${model}`);
    const { version } = found;
    const change = { actor: 'pipeline', reason: `judged once more, since another champion serves: ${reason}`, evidenceUri: reportUri };
    // The record never changes; the history tells of each further report, and the tag finds it.
    await this.registry.setVersionTag(model, version, roundTag(round), reportUri, change);
    if (!passed) return this.registry.transition(model, version, 'Rejected', change);
    return this.registry.getVersion(model, version);
  }
}
