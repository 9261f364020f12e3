import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { CHAMPION_ALIAS, ModelVersion, REGISTRY_ENV, REGISTRY_ERRORS, Stage, VersionState } from '../../lib/registry/contract';
import { createDocumentClient } from '../common/dynamo.client';
import { requireEnv } from '../common/env';
import { NamedError } from '../common/errors';
import { approvalBy, assertAllowed, assertPassed, assertRules, assertServable, forbidden, illegal, transitionAction } from './lifecycle';
import { draft } from './model-writes';
import { canonicalStage, checkAlias, invalid } from './names';
import { aliasOf, championOf, ModelRow, VersionRow } from './records';
import { NOW } from './registry-commit';
import { RegistryStore } from './registry-store.client';
import { ApprovalQuestion, Change, Promotion, PromotionOptions, RegistryWrites, TransitionOptions } from './registry-writes';
import { latestAfter, StageMove } from './stages';
import { VersionWrites } from './version-writes';

const named = (version: number | null | undefined): string => (version ? `v${version}` : 'no version');

/** Aliases stand in the model's item, which DynamoDB limits to 400 KB. */
const ALIAS_BYTES = 200_000;
/** A transaction takes 100 items; some are the model's own. */
const STAGE_MOVES = 90;

const withAlias = (model: ModelRow, alias: string, version: number): ModelRow => {
  const aliases = [...model.aliases.filter(([name]) => name !== alias), [alias, version] as const];
  if (Buffer.byteLength(JSON.stringify(aliases)) > ALIAS_BYTES) throw invalid(`${model.name} has no room for another alias: delete some`);
  return alias === CHAMPION_ALIAS ? { ...model, aliases, previousChampion: championOf(model) } : { ...model, aliases };
};

/** The one implementation that writes; in the cloud only the writer function runs it. Here: what serves. */
export class RegistryWriter extends VersionWrites implements RegistryWrites {
  constructor(
    registryTable: string = requireEnv(REGISTRY_ENV.registryTable),
    historyTable: string = requireEnv(REGISTRY_ENV.historyTable),
    db: DynamoDBDocumentClient = createDocumentClient(),
  ) {
    super(new RegistryStore(registryTable, historyTable, db));
  }

  public async setAlias(name: string, alias: string, version: number, change: Change): Promise<void> {
    checkAlias(alias);
    await this.onVersion(name, version, async (before) => {
      this.assertByHand(before, alias, 'set');
      const from = aliasOf(before, alias);
      if (from === version) return;
      const told = { what: `alias ${alias}`, from: from === undefined ? undefined : String(from), to: String(version) };
      await this.save({ before, after: withAlias(before, alias, version), entry: draft(change, 'AliasSet', { version, change: told }) });
    });
  }

  public async deleteAlias(name: string, alias: string, change: Change): Promise<void> {
    await this.onModel(name, async (before) => {
      this.assertByHand(before, alias, 'deleted');
      const version = aliasOf(before, alias);
      if (version === undefined) return;
      const after = { ...before, aliases: before.aliases.filter(([other]) => other !== alias) };
      const told = { what: `alias ${alias}`, from: String(version) };
      await this.save({ before, after, entry: draft(change, 'AliasDeleted', { version, change: told }) });
    });
  }

  public async setStage(name: string, version: number, to: Stage, archiveExisting: boolean, change: Change): Promise<ModelVersion> {
    const stage = canonicalStage(to);
    const active = stage === 'Staging' || stage === 'Production';
    if (archiveExisting && !active) {
      const why = `because '${stage}' is not an Active stage. Valid stages are ['Staging', 'Production']`;
      throw invalid(`Model version transition cannot archive existing model versions ${why}`);
    }
    for (;;) {
      const done = await this.onVersion(name, version, async (before, row) => this.stageStep(before, row, stage, archiveExisting, change));
      if (done) return done;
    }
  }

  public async transition(name: string, version: number, to: VersionState, options: TransitionOptions): Promise<ModelVersion> {
    const { expectedState, expectedRound, ...change } = options;
    return this.onVersion(name, version, async (before, row) => {
      if (row.state === to) return this.answerVersion(row, before);
      if (expectedState !== undefined && row.state !== expectedState) {
        throw illegal(`${name} v${version} is ${row.state}, not ${expectedState} any more: it did not become ${to}`);
      }
      if (expectedRound !== undefined && row.approval?.round !== expectedRound) {
        throw illegal(`${name} v${version} was judged once more: it did not become ${to}`);
      }
      const action = transitionAction(before, row, to);
      assertAllowed(before, row, to);
      assertRules(before, row, to, change);
      if (to === 'Approved') return this.approve(before, row, change);
      const { actor: by, reason } = change;
      const approval = row.approval && { ...row.approval, decided: { by, reason } };
      const moved: VersionRow = { ...row, state: to, approval, stepBy: by, updatedAt: NOW };
      const entry = draft(change, action, { version, fromState: row.state, toState: to });
      const saved = await this.save({ before, after: { ...before, updatedAt: NOW }, versions: [moved], entry });
      return this.answerVersion(saved.versions[0], saved.model);
    });
  }

  public async askApproval(name: string, version: number, { round, startedBy }: ApprovalQuestion, change: Change): Promise<ModelVersion> {
    return this.onVersion(name, version, async (before, row) => {
      const asked = row.approval !== undefined && row.approval.round >= round;
      const waits = row.state === 'PendingApproval' || (row.state === 'Approved' && round > 0);
      if (asked || !waits) return this.answerVersion(row, before);
      assertPassed(before, row);
      const approval = { round, startedBy, reportUri: change.evidenceUri, approvedBy: [] };
      const moved: VersionRow = { ...row, state: 'PendingApproval', approval, stepBy: change.actor, updatedAt: NOW };
      const entry = draft(change, 'ApprovalRequested', { version, fromState: row.state, toState: 'PendingApproval' });
      const saved = await this.save({ before, after: { ...before, updatedAt: NOW }, versions: [moved], entry });
      return this.answerVersion(saved.versions[0], saved.model);
    });
  }

  /**
   * Makes a version the champion and archives the one before, in one transaction; a version that serves already is left alone.
   * A champion other than the expected one is a conflict. Promoting an archived version is a rollback and recorded as one; of a pipeline's model it
   * has to be asked for as one, so that no run brings back by itself what was rolled back.
   */
  public async promote(name: string, version: number, options: PromotionOptions): Promise<Promotion> {
    const { expectedChampion } = options;
    return this.onVersion(name, version, async (before, row) => {
      const serving = championOf(before);
      if (serving === version && row.state === 'Production') {
        return { champion: await this.answerVersion(row, before), previousVersion: before.previousChampion };
      }
      if (expectedChampion !== undefined && expectedChampion !== (serving ?? null)) {
        const found = `${named(serving)} serves now: nothing was changed`;
        throw new NamedError(REGISTRY_ERRORS.conflict, `${name} v${version} was to replace ${named(expectedChampion)}, but ${found}`);
      }
      if (row.state !== 'Production') assertAllowed(before, row, 'Production');
      assertServable(before, row);
      if (before.managed && (row.state === 'Archived' || options.rollback) && !(await this.store.hasServed(before.modelId, version))) {
        throw forbidden(`${name} v${version} cannot serve: the rule "only what served comes back" holds for ${name}, and it never did`);
      }
      if (before.managed && row.state === 'Archived' && !options.rollback) {
        throw illegal(`${name} v${version} is Archived, replaced or rolled back since it was judged: only a rollback to it lets it serve again`);
      }
      // What comes back has met the rules before, and whoever brings it back cannot wait for a second person.
      if (row.state !== 'Production' && !(before.managed && options.rollback)) assertRules(before, row, 'Production', options);
      const replaced = before.production === undefined || before.production === version ? [] : [await this.store.version(before, before.production)];
      const moves: StageMove[] = before.managed
        ? [{ row, to: 'Production' }, ...replaced.map((other): StageMove => ({ row: other, to: 'Archived' }))]
        : [];
      const stepBy = options.actor;
      const next: VersionRow = { ...row, state: 'Production', stepBy, stage: before.managed ? 'Production' : row.stage, updatedAt: NOW };
      const archived = replaced.map(
        (other): VersionRow => ({ ...other, state: 'Archived', stepBy, stage: before.managed ? 'Archived' : other.stage, updatedAt: NOW }),
      );
      const latest = await latestAfter(this.store, before, moves);
      const saved = await this.save({
        before,
        after: { ...withAlias(before, CHAMPION_ALIAS, version), production: version, latest, updatedAt: NOW },
        versions: [next, ...archived],
        entry: draft(options, row.state === 'Archived' ? 'RolledBack' : 'Promoted', {
          version,
          fromState: row.state,
          toState: 'Production',
          previousChampion: serving,
        }),
      });
      return { champion: await this.answerVersion(saved.versions[0], saved.model), previousVersion: serving };
    });
  }

  /** Two persons take two steps: the first leaves the version waiting. */
  private async approve(before: ModelRow, row: VersionRow, change: Change): Promise<ModelVersion> {
    const { version } = row;
    const { actor: by, reason } = change;
    assertPassed(before, row);
    const { approvedBy, enough } = approvalBy(before, row, by);
    if (!enough && approvedBy.length === row.approval?.approvedBy.length) return this.answerVersion(row, before);
    const asked = row.approval || !enough ? { round: 0, startedBy: null, ...row.approval, approvedBy } : undefined;
    const moved: VersionRow = enough
      ? { ...row, state: 'Approved', approval: asked && { ...asked, decided: { by, reason } }, stepBy: by, updatedAt: NOW }
      : { ...row, approval: asked, updatedAt: NOW };
    const entry = draft(change, enough ? 'Approved' : 'Endorsed', { version, fromState: row.state, toState: moved.state });
    const saved = await this.save({ before, after: { ...before, updatedAt: NOW }, versions: [moved], entry });
    return this.answerVersion(saved.versions[0], saved.model);
  }

  /** One transaction of a change of stage: all of it, or as many of the versions that it archives as have room; then nothing is answered. */
  private async stageStep(
    before: ModelRow,
    row: VersionRow,
    stage: Stage,
    archiveExisting: boolean,
    change: Change,
  ): Promise<ModelVersion | undefined> {
    if (before.managed && (stage === 'Production' || row.stage === 'Production')) {
      const rule = `"Production is what was promoted" holds for ${before.name}, promote instead`;
      throw forbidden(`${before.name} v${row.version} cannot change its stage: ${rule}`);
    }
    const others: VersionRow[] = [];
    if (archiveExisting) {
      for await (const other of this.store.versionsInStage(before.modelId, stage)) {
        if (other.version !== row.version) others.push(other);
        if (others.length > STAGE_MOVES) break;
      }
    }
    const last = others.length <= STAGE_MOVES;
    const moves: StageMove[] = [
      ...others.slice(0, STAGE_MOVES).map((other): StageMove => ({ row: other, to: 'Archived' })),
      ...(last ? [{ row, to: stage }] : []),
    ];
    if (last && others.length === 0 && row.stage === stage) return this.answerVersion(row, before);
    const versions = moves.map(({ row: moved, to }): VersionRow => ({ ...moved, stage: to!, updatedAt: NOW })).reverse();
    const after = { ...before, latest: await latestAfter(this.store, before, moves), updatedAt: NOW };
    const told = { what: 'stage', from: row.stage, to: last ? stage : row.stage };
    const saved = await this.save({ before, after, versions, entry: draft(change, 'StageChanged', { version: row.version, change: told }) });
    return last ? this.answerVersion(saved.versions[0], saved.model) : undefined;
  }

  private assertByHand(model: ModelRow, alias: string, verb: string): void {
    if (!model.managed || alias !== CHAMPION_ALIAS) return;
    const rule = `"${CHAMPION_ALIAS} is what serves and moves by promotion alone"`;
    throw forbidden(`the alias ${CHAMPION_ALIAS} of ${model.name} cannot be ${verb} by hand: ${rule} holds for a pipeline's model`);
  }
}
