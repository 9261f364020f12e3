import * as z from 'zod';
import { PIPELINE_ERRORS, type PipelineSpec, type PreparedData } from '../../lib/pipeline/contract';
import { type ModelVersion, REGISTRY_ERRORS } from '../../lib/registry/contract';
import { EVENTS } from '../../lib/retraining/contract';
import { NamedError } from '../common/errors';
import type { Events } from '../common/events.client';
import type { S3Files } from '../common/s3.client';
import { jobNameBase } from '../pipeline/job-names';
import { recordedStep } from '../pipeline/recorded-step';
import type { RunTrackerClient } from '../tracking/run-tracker.client';
import type { ImageDigestClient } from './image-digest.client';
import type { ModelRegistryClient } from './model-registry.client';
import { latestReport } from './rejudgement';
import { championMoves } from './rollback-target';

const number = z.number().int().positive();

export const RollbackInput = z.object({
  model: z.string().min(1),
  runId: z.string().min(1),
  rollbackTo: number,
  causeId: z.string(),
  cause: z.string().min(1),
  executionArn: z.string().startsWith('arn:'),
  startTime: z.string(),
  /** Input of the execution. */
  request: z.object({ rollbackFrom: number.nullish(), startedBy: z.string().min(1).nullish() }).nullish(),
});

export type RollbackInput = z.infer<typeof RollbackInput>;

/** What the states of a release need of a run; the shape of a training run that has come that far. */
export interface RolledBack {
  readonly model: string;
  readonly runId: string;
  readonly prepared: Pick<PreparedData, 'jobNameBase' | 'round' | 'rebuildOf' | 'rollback'> & { readonly champion: { readonly version: number } };
  readonly registered: { readonly version: number };
  readonly evaluation: { readonly reason: string };
  /** Where the pointer moved: from which version, and when. */
  readonly pointer: { readonly moved: boolean; readonly from: number | null; readonly at: string };
}

export interface RollbackParts {
  readonly registry: Pick<ModelRegistryClient, 'getVersion' | 'history' | 'promote'>;
  readonly files: Pick<S3Files, 'head' | 'sha256'>;
  readonly images: Pick<ImageDigestClient, 'find'>;
  readonly runs: Pick<RunTrackerClient, 'startRun' | 'recordStep'>;
  readonly events: Pick<Events, 'putEvent'>;
}

/** Makes a version that served before the champion again, once all that it is made from is still there. May be repeated. */
export class Rollback {
  constructor(
    private readonly parts: RollbackParts,
    private readonly platform: string,
    private readonly spec: Pick<PipelineSpec, 'model' | 'jobNamePrefix'>,
  ) {}

  async handle(input: RollbackInput): Promise<RolledBack> {
    const { runs } = this.parts;
    const { model, runId, rollbackTo, executionArn, causeId, cause, startTime } = input;
    if (model !== this.spec.model) throw refused(`this pipeline is that of ${this.spec.model}, the rollback is of ${model}: start the other one`);
    const startedBy = input.request?.startedBy ?? undefined;
    await runs.startRun({ runId, model, executionArn, causeId, cause, startTime, startedBy });
    return recordedStep(runs, runId, 'move-pointer', { inputs: { version: `${model}/${rollbackTo}` } }, async () => {
      const result = await this.moved(input, startedBy ?? 'pipeline');
      const { from } = result.pointer;
      return { result, outputs: { version: `${model}/${rollbackTo}`, from: from === null ? 'none' : `${model}/${from}` } };
    });
  }

  private async moved({ model, runId, rollbackTo, cause, executionArn, request }: RollbackInput, actor: string): Promise<RolledBack> {
    const version = await this.version(model, rollbackTo);
    const image = await this.require(version, executionArn.split(':')[4]);
    const { champion } = await this.parts.registry.promote(model, rollbackTo, {
      actor,
      reason: reasonOf(cause, runId),
      evidenceUri: latestReport(version),
      rollback: true,
      ...(request?.rollbackFrom ? { expectedChampion: request.rollbackFrom } : {}),
    });
    // The history tells whether it was this run that moved the pointer, also where the answer to its first try was lost.
    const last = championMoves(await this.parts.registry.history(model)).at(-1);
    const moved = last !== undefined && last.reason === reasonOf(cause, runId);
    const from = (moved && last.previousChampion) || null;
    if (moved) await this.announce({ model, version: rollbackTo, previousVersion: from, runId, reason: cause, by: actor }, last.at);
    const { artifact, code } = version;
    return {
      model,
      runId,
      prepared: {
        jobNameBase: jobNameBase(this.spec.jobNamePrefix, executionArn),
        round: 0,
        rebuildOf: { present: false, version: null },
        champion: { version: rollbackTo },
        rollback: { present: true, image, modelDataUrl: artifact?.uri, codeUri: code?.uri ?? null, entryPoint: code?.entryPoint ?? null },
      },
      registered: { version: rollbackTo },
      evaluation: { reason: cause },
      pointer: { moved, from, at: champion.updatedAt },
    };
  }

  private async announce(detail: { readonly model: string; readonly [more: string]: unknown }, occurredAt: string): Promise<void> {
    await this.parts.events.putEvent(EVENTS.versionRolledBack, { platform: this.platform, occurredAt, ...detail });
  }

  private async version(model: string, number: number): Promise<ModelVersion> {
    let version: ModelVersion;
    try {
      version = await this.parts.registry.getVersion(model, number);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== REGISTRY_ERRORS.notFound) throw error;
      throw refused(`${model} v${number} is not in the registry: choose a version that served`);
    }
    if (championMoves(await this.parts.registry.history(model)).some((move) => move.version === number)) return version;
    throw refused(`${model} v${number} is ${version.state} and never served: only what served can serve again`);
  }

  /** The image as it can be had; everything that is missing is named at once. */
  private async require({ model, version, artifact, code, image, imageDigest }: ModelVersion, account: string): Promise<string> {
    const missing: string[] = [];
    if (!artifact) missing.push('its record names no artifact');
    else missing.push(...(await this.lost('artifact', artifact)));
    if (code) missing.push(...((await this.parts.files.head(code.uri)) ? [] : [`its code ${code.uri} is gone`]));
    const found = image === undefined ? undefined : await this.parts.images.find(image, imageDigest, account);
    if (!image || !found) missing.push('its record names no image');
    else if (found.state === 'gone') missing.push(`its image ${imageDigest ? `${image} (${imageDigest})` : image} is gone from the registry`);
    if (missing.length > 0) throw refused(`${model} v${version} cannot serve again: ${missing.join('; ')}. What serves was left as it is`);
    return found!.image;
  }

  /** SageMaker takes the newest object at a place: it has to be the one that was registered. */
  private async lost(what: string, { uri, versionId, sha256 }: NonNullable<ModelVersion['artifact']>): Promise<string[]> {
    const head = await this.parts.files.head(uri);
    if (!head) return [`its ${what} ${uri} is gone`];
    if (versionId === undefined ? (await this.parts.files.sha256(uri)).sha256 === sha256 : head.versionId === versionId) return [];
    return [`its ${what} ${uri} was overwritten since it was registered`];
  }
}

const refused = (message: string): NamedError => new NamedError(PIPELINE_ERRORS.notRollbackable, message);

/** Runs of one cause are told apart by their ids: at most one of them moved the pointer. */
const reasonOf = (cause: string, runId: string): string => `${cause} (run ${runId})`;
