import { ModelVersion, RegisteredModel, Stage, VersionRecord, VersionRule, VersionState } from '../../lib/registry/contract';

/** Who changes the registry, and why; both stand in the history for good. */
export interface Change {
  /** ARN of the caller's session, or `pipeline`. */
  readonly actor: string;
  readonly reason: string;
  readonly evidenceUri?: string;
}

export interface NewModel {
  readonly name: string;
  readonly description?: string;
  readonly owner?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface ModelFields {
  readonly description?: string;
  readonly owner?: string;
  readonly rules?: readonly VersionRule[];
}

/** What a pipeline states about its model each time it registers; changes are put on record. */
export interface ManagedModel {
  readonly name: string;
  readonly owner?: string;
  readonly rules?: readonly VersionRule[];
}

export interface NewVersion {
  readonly source: string;
  readonly runId?: string;
  readonly runLink?: string;
  readonly loggedModelId?: string;
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** As much of the record as is known. */
  readonly record?: Partial<VersionRecord>;
}

export interface TransitionOptions extends Change {
  /** State that the version must be in now; left out: any from which the step is allowed. */
  readonly expectedState?: VersionState;
  /** Judgement that persons must be asked about now; left out: any. */
  readonly expectedRound?: number;
}

/** What persons are asked to decide about. */
export interface ApprovalQuestion {
  /** Judgement that they decide about; a version is asked about once in each. */
  readonly round: number;
  /** Session ARN of who started the run, null where nobody did. */
  readonly startedBy: string | null;
}

export interface PromotionOptions extends Change {
  /** Version that must be serving now, null for none; left out: whatever serves is replaced. */
  readonly expectedChampion?: number | null;
  /** Whether a version that served before is brought back; only what did can be. */
  readonly rollback?: boolean;
}

export interface Promotion {
  readonly champion: ModelVersion;
  readonly previousVersion?: number;
}

/**
 * Every way to change the registry. One implementation writes (the writer function, alone allowed to add to the history), one calls it.
 * Arguments and answers are JSON, so that both look the same to a caller.
 */
export interface RegistryWrites {
  createModel(model: NewModel, change: Change): Promise<RegisteredModel>;
  /** What is left out stays. Rules of a pipeline's model are refused: its app states them. */
  updateModel(name: string, fields: ModelFields, change: Change): Promise<RegisteredModel>;
  /** Versions, aliases, tags and history follow. */
  renameModel(name: string, newName: string, change: Change): Promise<RegisteredModel>;
  /** Frees the name; versions and history stay under the model's id. */
  deleteModel(name: string, change: Change): Promise<void>;
  setModelTag(name: string, key: string, value: string, change: Change): Promise<void>;
  deleteModelTag(name: string, key: string, change: Change): Promise<void>;
  /** Registers a version of any origin under the next number; of a pipeline's model only the pipeline's own can serve. */
  createVersion(name: string, version: NewVersion, change: Change): Promise<ModelVersion>;
  /** Registers what a pipeline's run made; the model is made where there is none. The same run registers once. */
  registerVersion(model: ManagedModel, version: NewVersion & { readonly runId: string }, change: Change): Promise<ModelVersion>;
  updateVersion(name: string, version: number, fields: { readonly description?: string }, change: Change): Promise<ModelVersion>;
  /** Leaves a tombstone: the number is never used again. The version that serves cannot be deleted. */
  deleteVersion(name: string, version: number, change: Change): Promise<void>;
  setVersionTag(name: string, version: number, key: string, value: string, change: Change): Promise<void>;
  deleteVersionTag(name: string, version: number, key: string, change: Change): Promise<void>;
  /** `champion` of a pipeline's model is refused: it moves by promotion alone. */
  setAlias(name: string, alias: string, version: number, change: Change): Promise<void>;
  deleteAlias(name: string, alias: string, change: Change): Promise<void>;
  setStage(name: string, version: number, stage: Stage, archiveExisting: boolean, change: Change): Promise<ModelVersion>;
  /**
   * Moves a version to another state; a version that is there already is left alone. What serves is changed by `promote` alone. Where two persons
   * have to approve, the answer to the first is the version as it still waits.
   */
  transition(name: string, version: number, to: VersionState, options: TransitionOptions): Promise<ModelVersion>;
  /**
   * From now on persons can approve a pipeline's version; one that was approved after an earlier judgement waits again. The same round twice asks
   * once.
   */
  askApproval(name: string, version: number, question: ApprovalQuestion, change: Change): Promise<ModelVersion>;
  /** Makes a version the champion and archives the one before, in one transaction. */
  promote(name: string, version: number, options: PromotionOptions): Promise<Promotion>;
}
