import type { ModelVersion, RegisteredModel } from '../../../lib/registry/contract';
import type { Json } from './http';
import { wireEntries, withoutEmpty } from './wire';

const milliseconds = (time: string): number => Date.parse(time);

export const wireVersion = (version: ModelVersion): Json =>
  withoutEmpty({
    name: version.model,
    version: String(version.version),
    creation_timestamp: milliseconds(version.createdAt),
    last_updated_timestamp: milliseconds(version.updatedAt),
    user_id: version.createdBy,
    current_stage: version.stage,
    description: version.description ?? '',
    source: version.source,
    run_id: version.runId ?? '',
    status: 'READY',
    run_link: version.runLink ?? '',
    tags: wireEntries(version.tags),
    aliases: [...version.aliases],
    model_id: version.loggedModelId,
  });

/** The newest versions of stages, in the order of their numbers. */
export const wireLatest = (versions: readonly ModelVersion[]): Json[] =>
  [...versions].sort((one, other) => one.version - other.version).map(wireVersion);

/** `latest`: newest version of each stage. */
export const wireModel = (model: RegisteredModel, latest: readonly ModelVersion[]): Json =>
  withoutEmpty({
    name: model.name,
    creation_timestamp: milliseconds(model.createdAt),
    last_updated_timestamp: milliseconds(model.updatedAt),
    user_id: model.owner,
    description: model.description,
    latest_versions: wireLatest(latest),
    tags: wireEntries(model.tags),
    aliases: Object.entries(model.aliases).map(([alias, version]) => ({ alias, version: String(version) })),
  });

/** A version as our own calls answer it: what MLflow knows, and the state that it does not. */
export const wireGovernedVersion = (version: ModelVersion): Json => ({ ...wireVersion(version), state: version.state, missing: version.missing });
