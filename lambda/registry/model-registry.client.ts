import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ModelVersion, RegisteredModel, REGISTRY_ENV, Stage, VersionState } from '../../lib/registry/contract';
import { createDocumentClient } from '../common/dynamo.client';
import { requireEnv } from '../common/env';
import { RegistryReader } from './registry-reader';
import { RegistryStore } from './registry-store.client';
import { RegistryWriterClient } from './registry-writer.client';
import {
  ApprovalQuestion,
  Change,
  ManagedModel,
  ModelFields,
  NewModel,
  NewVersion,
  Promotion,
  PromotionOptions,
  RegistryWrites,
  TransitionOptions,
} from './registry-writes';

/** Models, their versions and which one serves: reads the tables, changes them by `writes`, which is the writer function unless another is given. */
export class ModelRegistryClient extends RegistryReader implements RegistryWrites {
  constructor(
    registryTable: string = requireEnv(REGISTRY_ENV.registryTable),
    historyTable: string = requireEnv(REGISTRY_ENV.historyTable),
    db: DynamoDBDocumentClient = createDocumentClient(),
    private readonly writes: RegistryWrites = new RegistryWriterClient(),
  ) {
    super(new RegistryStore(registryTable, historyTable, db));
  }

  public createModel = (model: NewModel, change: Change): Promise<RegisteredModel> => this.writes.createModel(model, change);
  public updateModel = (name: string, fields: ModelFields, change: Change): Promise<RegisteredModel> =>
    this.writes.updateModel(name, fields, change);
  public renameModel = (name: string, newName: string, change: Change): Promise<RegisteredModel> => this.writes.renameModel(name, newName, change);
  public deleteModel = (name: string, change: Change): Promise<void> => this.writes.deleteModel(name, change);
  public setModelTag = (name: string, key: string, value: string, change: Change): Promise<void> => this.writes.setModelTag(name, key, value, change);
  public deleteModelTag = (name: string, key: string, change: Change): Promise<void> => this.writes.deleteModelTag(name, key, change);
  public createVersion = (name: string, version: NewVersion, change: Change): Promise<ModelVersion> =>
    this.writes.createVersion(name, version, change);
  public registerVersion = (model: ManagedModel, version: NewVersion & { readonly runId: string }, change: Change): Promise<ModelVersion> =>
    this.writes.registerVersion(model, version, change);
  public updateVersion = (name: string, version: number, fields: { readonly description?: string }, change: Change): Promise<ModelVersion> =>
    this.writes.updateVersion(name, version, fields, change);
  public deleteVersion = (name: string, version: number, change: Change): Promise<void> => this.writes.deleteVersion(name, version, change);
  public setVersionTag = (name: string, version: number, key: string, value: string, change: Change): Promise<void> =>
    this.writes.setVersionTag(name, version, key, value, change);
  public deleteVersionTag = (name: string, version: number, key: string, change: Change): Promise<void> =>
    this.writes.deleteVersionTag(name, version, key, change);
  public setAlias = (name: string, alias: string, version: number, change: Change): Promise<void> =>
    this.writes.setAlias(name, alias, version, change);
  public deleteAlias = (name: string, alias: string, change: Change): Promise<void> => this.writes.deleteAlias(name, alias, change);
  public setStage = (name: string, version: number, stage: Stage, archiveExisting: boolean, change: Change): Promise<ModelVersion> =>
    this.writes.setStage(name, version, stage, archiveExisting, change);
  public transition = (name: string, version: number, to: VersionState, options: TransitionOptions): Promise<ModelVersion> =>
    this.writes.transition(name, version, to, options);
  public askApproval = (name: string, version: number, question: ApprovalQuestion, change: Change): Promise<ModelVersion> =>
    this.writes.askApproval(name, version, question, change);
  public promote = (name: string, version: number, options: PromotionOptions): Promise<Promotion> => this.writes.promote(name, version, options);
}
