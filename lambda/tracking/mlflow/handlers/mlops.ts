import * as z from 'zod';
import { ALLOWED_TRANSITIONS, ModelVersion, VersionRecord, VersionState } from '../../../../lib/registry/contract';
import type { Change } from '../../../registry/registry-writes';
import { invalid, MlflowError } from '../errors';
import type { ApiRequest, Json } from '../http';
import { aboutVersion, checkRegistryTag } from '../registry-fields';
import { wireGovernedVersion, wireModel } from '../registry-wire';
import type { Route } from '../router';
import type { Stores } from '../stores';
import { originOf } from '../version-source';

/** Calls of ours beside MLflow's protocol: what people decide about versions. Requests signed by IAM only; the caller's ARN goes into the history. */
const PREFIX = '/api/2.0/mlops/registry';

const nonEmpty = z.string().min(1);
const why = { reason: nonEmpty.max(10_000), evidence_uri: nonEmpty.max(2048).optional() };
const OfVersion = z.strictObject({ name: nonEmpty, version: z.coerce.number().int().positive(), ...why });
const Promotion = OfVersion.extend({ expected_champion: z.number().int().positive().nullable().optional() });
const Transition = OfVersion.extend({ to: z.enum(Object.keys(ALLOWED_TRANSITIONS) as [VersionState, ...VersionState[]]) });
const Owner = z.strictObject({ name: nonEmpty, owner: nonEmpty.max(256), ...why });
const Rules = z.strictObject({
  name: nonEmpty,
  rules: z.array(z.strictObject({ state: Transition.shape.to, two_person: z.boolean().optional(), evidence: z.boolean().optional() })).max(20),
  ...why,
});
const Import = z.strictObject({
  name: nonEmpty,
  source: nonEmpty,
  run_id: nonEmpty.optional(),
  model_id: nonEmpty.optional(),
  run_link: nonEmpty.optional(),
  description: z.string().optional(),
  owner: nonEmpty.max(256).optional(),
  tags: z.record(z.string(), z.string()).default({}),
  record: z.record(z.string(), z.unknown()).default({}),
  ...why,
});

const parsed = <T>(shape: z.ZodType<T>, request: ApiRequest): T => {
  const result = shape.safeParse(request.json());
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0];
  throw invalid(`Invalid value for parameter '${path.join('.') || 'body'}' supplied: ${message}`);
};

const changeOf = ({ caller }: ApiRequest, { reason, evidence_uri: evidenceUri }: { reason: string; evidence_uri?: string }): Change => ({
  actor: caller.id,
  reason,
  ...(evidenceUri === undefined ? {} : { evidenceUri }),
});

const decided = (version: ModelVersion): Json => ({ model_version: wireGovernedVersion(version) });

type Named = { readonly name: string; readonly version: number };

const moved = (registry: Stores['registry'], { name, version }: Named, to: VersionState, change: Change): Promise<Json> =>
  aboutVersion(name, version, async () => decided(await registry.transition(name, version, to, change)));

const moving =
  (to: VersionState) =>
  async (request: ApiRequest, { registry }: Stores): Promise<unknown> => {
    const body = parsed(OfVersion, request);
    return moved(registry, body, to, changeOf(request, body));
  };

const transition = async (request: ApiRequest, { registry }: Stores): Promise<unknown> => {
  const body = parsed(Transition, request);
  return moved(registry, body, body.to, changeOf(request, body));
};

const RULE = 'the rule "champion moves with the endpoint" lets no other request promote a version of it.';

const promote = async (request: ApiRequest, { registry }: Stores): Promise<unknown> => {
  const body = parsed(Promotion, request);
  return aboutVersion(body.name, body.version, async () => {
    const { managed } = await registry.getModel(body.name);
    if (managed)
      throw new MlflowError('PERMISSION_DENIED', `${body.name} is served by its pipeline, which moves endpoint and champion together: ${RULE}`);
    const options = { ...changeOf(request, body), expectedChampion: body.expected_champion };
    const { champion, previousVersion } = await registry.promote(body.name, body.version, options);
    return { ...decided(champion), ...(previousVersion === undefined ? {} : { previous_version: String(previousVersion) }) };
  });
};

const owner = async (request: ApiRequest, { registry }: Stores): Promise<unknown> => {
  const body = parsed(Owner, request);
  const model = await registry.updateModel(body.name, { owner: body.owner }, changeOf(request, body));
  return { registered_model: wireModel(model, []) };
};

/** What each step of a version takes, for models that people decide about; a pipeline's model has the rules of its app. */
const rules = async (request: ApiRequest, { registry }: Stores): Promise<unknown> => {
  const body = parsed(Rules, request);
  const stated = body.rules.map(({ state, two_person: twoPerson, evidence }) => ({ state, twoPerson, evidence }));
  const model = await registry.updateModel(body.name, { rules: stated }, changeOf(request, body));
  return { registered_model: wireModel(model, []), rules: body.rules };
};

/** A version of a model that was trained elsewhere; the model is made where there is none. */
const importVersion = async (request: ApiRequest, stores: Stores): Promise<unknown> => {
  const body = parsed(Import, request);
  for (const [key, value] of Object.entries(body.tags)) checkRegistryTag(key, value);
  const change = changeOf(request, body);
  const origin = await originOf({ source: body.source, runId: body.run_id, modelId: body.model_id }, body.tags, stores);
  const { registry } = stores;
  if (!(await registry.findModel(body.name))) {
    const model = { name: body.name, owner: body.owner };
    await registry.createModel(model, change).catch(async (error: unknown) => {
      // Made by somebody else in between.
      if (!(await registry.findModel(body.name))) throw error;
    });
  }
  const version = await registry.createVersion(
    body.name,
    {
      source: origin.source,
      runId: origin.runId,
      loggedModelId: origin.modelId,
      runLink: body.run_link,
      description: body.description,
      tags: body.tags,
      record: body.record as Partial<VersionRecord>,
    },
    change,
  );
  if (version.runId) await stores.lineage.link({ kind: 'run', id: version.runId }, { kind: 'version', id: `${version.model}/${version.version}` });
  return decided(version);
};

export const mlopsRoutes: readonly Route[] = [
  { method: 'POST', path: `${PREFIX}/approve`, access: 'approve', handle: moving('Approved') },
  { method: 'POST', path: `${PREFIX}/reject`, access: 'approve', handle: moving('Rejected') },
  { method: 'POST', path: `${PREFIX}/archive`, access: 'approve', handle: moving('Archived') },
  { method: 'POST', path: `${PREFIX}/transition`, access: 'approve', handle: transition },
  { method: 'POST', path: `${PREFIX}/promote`, access: 'approve', handle: promote },
  { method: 'POST', path: `${PREFIX}/owner`, access: 'approve', handle: owner },
  { method: 'POST', path: `${PREFIX}/rules`, access: 'approve', handle: rules },
  { method: 'POST', path: `${PREFIX}/import`, access: 'approve', handle: importVersion },
];
