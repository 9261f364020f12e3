import { ModelVersion, REGISTRY_ERRORS, VersionRecord } from '../../lib/registry/contract';
import { NamedError } from '../common/errors';
import { DESCRIPTION, LabelChange, NO_LABELS, removeLabel, setLabels } from './labels';
import { firstState, forbidden } from './lifecycle';
import { draft, ModelWrites, told } from './model-writes';
import { checkDescription, checkNewVersion, checkTag, checkTags, invalid } from './names';
import { championOf, ModelRow, recordDigest, tombstone, VersionRow } from './records';
import { NOW } from './registry-commit';
import { Change, ManagedModel, NewVersion } from './registry-writes';
import { latestAfter } from './stages';

/** Changes of versions that are not about what serves. */
export class VersionWrites extends ModelWrites {
  public async createVersion(name: string, version: NewVersion, change: Change): Promise<ModelVersion> {
    const { labels, runId } = this.checked(version);
    return this.onModel(name, async (model) => this.add(model, { ...version, runId }, labels, change, false));
  }

  public async registerVersion(model: ManagedModel, version: NewVersion & { readonly runId: string }, change: Change): Promise<ModelVersion> {
    const { labels, runId } = this.checked(version);
    if (!runId) throw invalid("Missing value for required parameter 'runId'");
    return this.contend(model.name, async () => {
      const row = await this.manage(model, change);
      const registered = await this.store.versionOfRun(row.modelId, runId);
      if (registered !== undefined) return this.answerVersion(await this.store.version(row, registered), row);
      return this.add(row, { ...version, runId }, labels, change, true);
    });
  }

  public async updateVersion(
    name: string,
    version: number,
    { description }: { readonly description?: string },
    change: Change,
  ): Promise<ModelVersion> {
    checkDescription(description);
    return this.onVersion(name, version, async (before, row) => {
      const was = await this.store.label(row.modelId, row.labels, DESCRIPTION);
      if (description === undefined || description === (was ?? '')) return this.answerVersion(row, before);
      const { labels, overflow } = setLabels(row.labels, [[DESCRIPTION, description]]);
      const entry = draft(change, 'Described', { version, change: { what: 'description', from: told(was), to: told(description) } });
      const saved = await this.save({ before, after: before, versions: [{ ...row, labels, updatedAt: NOW }], overflow, entry });
      return this.answerVersion(saved.versions[0], saved.model);
    });
  }

  public async deleteVersion(name: string, version: number, change: Change): Promise<void> {
    await this.onVersion(name, version, async (before, row) => {
      if (before.managed && (before.production === version || championOf(before) === version)) {
        throw forbidden(`${name} v${version} cannot be deleted: "what serves stays" holds for ${name}, promote another version first`);
      }
      const after: ModelRow = {
        ...before,
        aliases: before.aliases.filter(([, number]) => number !== version),
        production: before.production === version ? undefined : before.production,
        latest: await latestAfter(this.store, before, [{ row, to: undefined }]),
        updatedAt: NOW,
      };
      await this.save({ before, after, versions: [tombstone(row, NOW)], entry: draft(change, 'VersionDeleted', { version, fromState: row.state }) });
    });
  }

  public async setVersionTag(name: string, version: number, key: string, value: string, change: Change): Promise<void> {
    checkTag(key, value);
    await this.onVersion(name, version, async (before, row) => {
      const from = await this.store.label(row.modelId, row.labels, key);
      if (from === value) return;
      const { labels, overflow } = setLabels(row.labels, [[key, value]]);
      const entry = draft(change, 'TagSet', { version, change: { what: `tag ${key}`, from: told(from), to: told(value) } });
      const tagged = { version, tags: [[key, value]] as const };
      await this.save({ before, after: before, versions: [{ ...row, labels }], overflow, tagged, entry });
    });
  }

  public async deleteVersionTag(name: string, version: number, key: string, change: Change): Promise<void> {
    await this.onVersion(name, version, async (before, row) => {
      const from = await this.store.label(row.modelId, row.labels, key);
      if (from === undefined) return;
      const { labels, overflow } = removeLabel(row.labels, key);
      const entry = draft(change, 'TagDeleted', { version, change: { what: `tag ${key}`, from: told(from) } });
      await this.save({ before, after: before, versions: [{ ...row, labels }], overflow, entry });
    });
  }

  protected async onVersion<T>(name: string, version: number, attempt: (model: ModelRow, row: VersionRow) => Promise<T>): Promise<T> {
    return this.onModel(name, async (model) => attempt(model, await this.store.version(model, version)));
  }

  /** Long tags get their place before the first attempt, so that further attempts leave nothing behind. */
  private checked(version: NewVersion): { readonly labels: LabelChange; readonly runId?: string } {
    const { tags = {}, description, record } = version;
    checkTags(tags);
    checkDescription(description);
    const texts = Object.entries(tags);
    const labels = setLabels(NO_LABELS, description ? [...texts, [DESCRIPTION, description]] : texts);
    const runId = version.runId || record?.runId || undefined;
    checkNewVersion({ ...version, runId });
    return { labels, runId };
  }

  private async add(
    before: ModelRow,
    given: NewVersion,
    { labels, overflow }: LabelChange,
    change: Change,
    byPipeline: boolean,
  ): Promise<ModelVersion> {
    const version = before.nextVersion;
    const { source, runId, runLink, loggedModelId, tags = {} } = given;
    const record: Partial<VersionRecord> = { ...given.record, ...(byPipeline ? { runId } : {}) };
    const row: VersionRow = {
      modelId: before.modelId,
      version,
      state: firstState(record),
      source,
      runId,
      runLink,
      loggedModelId,
      stage: 'None',
      labels,
      byPipeline,
      createdBy: change.actor,
      stepBy: change.actor,
      createdAt: NOW,
      updatedAt: NOW,
      record,
    };
    const bytes = Buffer.byteLength(JSON.stringify(record));
    if (bytes > LARGEST_RECORD) throw new NamedError(REGISTRY_ERRORS.invalid, `the record has ${bytes} bytes, at most ${LARGEST_RECORD} are kept`);
    const saved = await this.save({
      before,
      after: { ...before, nextVersion: version + 1, latest: { ...before.latest, None: version }, updatedAt: NOW },
      versions: [row],
      overflow,
      tagged: { version, tags: Object.entries(tags) },
      run: runId === undefined ? undefined : { runId, version, once: byPipeline },
      entry: draft(change, 'Registered', { version, toState: row.state, recordSha256: recordDigest(row) }),
    });
    return this.answerVersion(saved.versions[0], saved.model);
  }
}

/** JSON; compressed in the item, which then is far below DynamoDB's 400 KB. */
const LARGEST_RECORD = 1_000_000;
