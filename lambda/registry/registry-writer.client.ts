import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ModelVersion, RegisteredModel, REGISTRY_ENV, Stage, VersionState } from '../../lib/registry/contract';
import { requireEnv } from '../common/env';
import { NamedError } from '../common/errors';
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
import { WriteAnswer, WriteMethod } from './write-request';

/**
 * Changes the registry by the writer function; refusals keep their names. A call whose answer is lost may have been carried out: everything
 * but `createModel` (then taken) and `createVersion` (then there twice, as with MLflow) can be repeated without a second effect.
 */
export class RegistryWriterClient implements RegistryWrites {
  constructor(
    private readonly functionName?: string,
    private readonly client: LambdaClient = new LambdaClient({}),
  ) {}

  public createModel = (model: NewModel, change: Change) => this.call<RegisteredModel>('createModel', model, change);
  public updateModel = (name: string, fields: ModelFields, change: Change) =>
    this.call<RegisteredModel>('updateModel', name, fields, change);
  public renameModel = (name: string, newName: string, change: Change) => this.call<RegisteredModel>('renameModel', name, newName, change);
  public deleteModel = (name: string, change: Change) => this.call<void>('deleteModel', name, change);
  public setModelTag = (name: string, key: string, value: string, change: Change) => this.call<void>('setModelTag', name, key, value, change);
  public deleteModelTag = (name: string, key: string, change: Change) => this.call<void>('deleteModelTag', name, key, change);
  public createVersion = (name: string, version: NewVersion, change: Change) => this.call<ModelVersion>('createVersion', name, version, change);
  public registerVersion = (model: ManagedModel, version: NewVersion & { readonly runId: string }, change: Change) =>
    this.call<ModelVersion>('registerVersion', model, version, change);
  public updateVersion = (name: string, version: number, fields: { readonly description?: string }, change: Change) =>
    this.call<ModelVersion>('updateVersion', name, version, fields, change);
  public deleteVersion = (name: string, version: number, change: Change) => this.call<void>('deleteVersion', name, version, change);
  public setVersionTag = (name: string, version: number, key: string, value: string, change: Change) =>
    this.call<void>('setVersionTag', name, version, key, value, change);
  public deleteVersionTag = (name: string, version: number, key: string, change: Change) =>
    this.call<void>('deleteVersionTag', name, version, key, change);
  public setAlias = (name: string, alias: string, version: number, change: Change) => this.call<void>('setAlias', name, alias, version, change);
  public deleteAlias = (name: string, alias: string, change: Change) => this.call<void>('deleteAlias', name, alias, change);
  public setStage = (name: string, version: number, stage: Stage, archiveExisting: boolean, change: Change) =>
    this.call<ModelVersion>('setStage', name, version, stage, archiveExisting, change);
  public transition = (name: string, version: number, to: VersionState, options: TransitionOptions) =>
    this.call<ModelVersion>('transition', name, version, to, options);
  public askApproval = (name: string, version: number, question: ApprovalQuestion, change: Change) =>
    this.call<ModelVersion>('askApproval', name, version, question, change);
  public promote = (name: string, version: number, options: PromotionOptions) => this.call<Promotion>('promote', name, version, options);

  private async call<T>(method: WriteMethod, ...args: readonly unknown[]): Promise<T> {
    const FunctionName = this.functionName ?? requireEnv(REGISTRY_ENV.writerFunction);
    const answer = await this.client.send(new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify({ method, args })) }));
    const payload: unknown = JSON.parse(Buffer.from(answer.Payload ?? []).toString('utf8') || 'null');
    if (answer.FunctionError !== undefined) {
      const { errorType = 'Error', errorMessage = answer.FunctionError } = (payload ?? {}) as { errorType?: string; errorMessage?: string };
      throw new NamedError(errorType, `the registry's writer failed: ${errorMessage}`);
    }
    const outcome = payload as WriteAnswer;
    if (!outcome.ok) throw new NamedError(outcome.name, outcome.message);
    return outcome.value as T;
  }
}
