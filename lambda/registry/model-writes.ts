import { randomUUID } from 'node:crypto';
import { CHAMPION_ALIAS, HistoryEntry, ModelVersion, RegisteredModel, REGISTRY_ERRORS, VersionRule } from '../../lib/registry/contract';
import { isBusy, lostRace, untilWon } from '../common/dynamo.client';
import { NamedError } from '../common/errors';
import { canonicalJson, HistoryDraft, NO_HISTORY } from './history';
import { DESCRIPTION, NO_LABELS, removeLabel, setLabels } from './labels';
import { forbidden } from './lifecycle';
import { checkDescription, checkModelName, checkReason, checkTag, checkTags, nameTaken } from './names';
import { championOf, FreeName, ModelRow, sha256, toModel, toVersion, VersionRow } from './records';
import { commit, Committed, KEPT_FORMER_IDS, ModelChange, NOW } from './registry-commit';
import { RegistryStore } from './registry-store.client';
import { Change, ManagedModel, ModelFields, NewModel } from './registry-writes';

const LONGEST_TOLD = 500;

/** A text as the history tells it: a long one as its digest. */
export const told = (text: string | undefined): string | undefined =>
  text === undefined || text.length <= LONGEST_TOLD ? text : `sha256:${sha256(text)} (${text.length} characters)`;

/** A caller's options may hold more than the history should. */
export const draft = (
  { actor, reason, evidenceUri }: Change,
  action: HistoryEntry['action'],
  more: Omit<HistoryDraft, 'actor' | 'reason' | 'evidenceUri' | 'action'> = {},
): HistoryDraft => {
  checkReason(reason);
  return { actor, reason, evidenceUri, action, ...more };
};

/**
 * Changes of models. Each reads the model, decides, and writes in one transaction with one entry of the history; changes of one model are
 * serialised by the last link of that history, changes of different models never meet.
 */
export class ModelWrites {
  constructor(protected readonly store: RegistryStore) {}

  public async createModel(model: NewModel, change: Change): Promise<RegisteredModel> {
    checkModelName(model.name);
    checkDescription(model.description);
    checkTags(model.tags);
    return this.contend(model.name, async () => {
      const claim = await this.store.claim(model.name);
      if (claim && !('free' in claim)) throw nameTaken(model.name);
      return this.answer((await this.make(model, { managed: false }, claim, change)).model);
    });
  }

  public async updateModel(name: string, { description, owner, rules }: ModelFields, change: Change): Promise<RegisteredModel> {
    checkDescription(description);
    return this.onModel(name, async (before) => {
      let model = before;
      if (rules !== undefined && model.managed) throw forbidden(`${name} keeps its rules: "a pipeline's model has the rules that its app states"`);
      if (rules !== undefined) model = await this.setRules(model, rules, change);
      if (owner !== undefined && owner !== model.owner) model = await this.setOwner(model, owner, change);
      if (description !== undefined) {
        const { labels, overflow } = setLabels(model.labels, [[DESCRIPTION, description]]);
        const was = await this.store.label(model.modelId, model.labels, DESCRIPTION);
        if (description !== (was ?? '')) {
          const entry = draft(change, 'Described', { change: { what: 'description', from: told(was), to: told(description) } });
          model = (await this.save({ before: model, after: { ...model, labels, updatedAt: NOW }, overflow, entry })).model;
        }
      }
      return this.answer(model);
    });
  }

  public async renameModel(name: string, newName: string, change: Change): Promise<RegisteredModel> {
    checkModelName(newName);
    return this.onModel(name, async (before) => {
      if (newName === name) return this.answer(before);
      if (before.managed) throw forbidden(`${name} cannot be renamed: "a pipeline's model has the name that its app states", rename it there`);
      const claim = await this.store.claim(newName);
      if (claim && !('free' in claim)) throw nameTaken(newName);
      const formerIds = [...before.formerIds, ...(claim?.formerIds ?? [])].slice(0, KEPT_FORMER_IDS);
      const after = { ...before, name: newName, formerIds, updatedAt: NOW, renamedAt: NOW };
      const entry = draft(change, 'Renamed', { change: { what: 'name', from: name, to: newName } });
      return this.answer((await this.save({ before, after, entry })).model);
    });
  }

  public async deleteModel(name: string, change: Change): Promise<void> {
    await this.onModel(name, async (before) => {
      const serving = championOf(before);
      if (before.managed && serving !== undefined) {
        throw forbidden(`${name} cannot be deleted: "a pipeline's model stays while it serves", and v${serving} serves`);
      }
      const after = { ...before, aliases: [], updatedAt: NOW };
      await this.save({ before, after, deleted: true, entry: draft(change, 'Deleted', { change: { what: 'name', from: name } }) });
    });
  }

  public async setModelTag(name: string, key: string, value: string, change: Change): Promise<void> {
    checkTag(key, value);
    await this.onModel(name, async (before) => {
      const from = await this.store.label(before.modelId, before.labels, key);
      if (from === value) return;
      const { labels, overflow } = setLabels(before.labels, [[key, value]]);
      const entry = draft(change, 'TagSet', { change: { what: `tag ${key}`, from: told(from), to: told(value) } });
      await this.save({ before, after: { ...before, labels }, overflow, tagged: { tags: [[key, value]] }, entry });
    });
  }

  public async deleteModelTag(name: string, key: string, change: Change): Promise<void> {
    await this.onModel(name, async (before) => {
      const from = await this.store.label(before.modelId, before.labels, key);
      if (from === undefined) return;
      const { labels, overflow } = removeLabel(before.labels, key);
      const entry = draft(change, 'TagDeleted', { change: { what: `tag ${key}`, from: told(from) } });
      await this.save({ before, after: { ...before, labels }, overflow, entry });
    });
  }

  /** The pipeline's model, made or taken over where need be, with the owner and the rules that the app states now. */
  protected async manage({ name, owner, rules }: ManagedModel, change: Change): Promise<ModelRow> {
    checkModelName(name);
    const claim = await this.store.claim(name);
    if (!claim || 'free' in claim) return (await this.make({ name, owner }, { managed: true, rules }, claim, change)).model;
    let model = claim.managed ? claim : await this.adopt(claim, change);
    if (owner !== undefined && owner !== model.owner) model = await this.setOwner(model, owner, change);
    return rules === undefined ? model : this.setRules(model, rules, change);
  }

  private async setRules(model: ModelRow, rules: readonly VersionRule[], change: Change): Promise<ModelRow> {
    const [from, to] = [canonicalJson(model.rules ?? []), canonicalJson(rules)];
    if (from === to) return model;
    const entry = draft(change, 'RulesChanged', { change: { what: 'rules', from, to } });
    return (await this.save({ before: model, after: { ...model, rules, updatedAt: NOW }, entry })).model;
  }

  protected async save(change: ModelChange): Promise<Committed> {
    return commit(this.store, change);
  }

  protected async onModel<T>(name: string, attempt: (model: ModelRow) => Promise<T>): Promise<T> {
    return this.contend(name, async () => attempt(await this.store.model(name)));
  }

  protected async contend<T>(name: string, attempt: () => Promise<T>): Promise<T> {
    try {
      return await untilWon(attempt);
    } catch (error) {
      if (!lostRace(error) && !isBusy(error)) throw error;
      const message = `${name} is changed by too many writers at once, nothing was written: try again`;
      throw new NamedError(REGISTRY_ERRORS.conflict, message, { cause: error });
    }
  }

  protected async answer(row: ModelRow): Promise<RegisteredModel> {
    return toModel(row, await this.store.moreLabels(row.modelId, row.labels));
  }

  protected async answerVersion(row: VersionRow, model: ModelRow): Promise<ModelVersion> {
    return toVersion(row, model, await this.store.moreLabels(row.modelId, row.labels));
  }

  private async make(
    { name, owner, description, tags = {} }: NewModel,
    { managed, rules }: Pick<ModelRow, 'managed' | 'rules'>,
    left: FreeName | undefined,
    change: Change,
  ): Promise<Committed> {
    const texts = Object.entries(tags);
    const { labels, overflow } = setLabels(NO_LABELS, description ? [...texts, [DESCRIPTION, description]] : texts);
    const after: ModelRow = {
      modelId: randomUUID(),
      name,
      owner,
      labels,
      aliases: [],
      managed,
      rules,
      latest: {},
      nextVersion: 1,
      formerIds: left?.formerIds ?? [],
      createdAt: NOW,
      updatedAt: NOW,
      head: NO_HISTORY,
    };
    const entry = draft(change, 'Created', { change: { what: 'name', to: name } });
    return this.save({ after, overflow, tagged: { tags: texts }, entry });
  }

  /** What somebody pointed `champion` at by hand never served: the pipeline begins without a champion. */
  private async adopt(before: ModelRow, change: Change): Promise<ModelRow> {
    const serving = before.production === undefined ? [] : [await this.store.version(before, before.production)];
    const champion = championOf(before);
    const after: ModelRow = {
      ...before,
      managed: true,
      production: undefined,
      aliases: before.aliases.filter(([alias]) => alias !== CHAMPION_ALIAS),
      updatedAt: NOW,
    };
    const versions = serving.map((row): VersionRow => ({ ...row, state: 'Archived', stepBy: change.actor, updatedAt: NOW }));
    return (await this.save({ before, after, versions, entry: draft(change, 'Adopted', { previousChampion: champion }) })).model;
  }

  private async setOwner(before: ModelRow, owner: string, change: Change): Promise<ModelRow> {
    const entry = draft(change, 'OwnerChanged', { change: { what: 'owner', from: before.owner, to: owner } });
    return (await this.save({ before, after: { ...before, owner, updatedAt: NOW }, entry })).model;
  }
}
