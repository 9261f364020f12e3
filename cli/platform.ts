import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { GetParametersByPathCommand, type Parameter, SSMClient } from '@aws-sdk/client-ssm';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { createDocumentClient } from '../lambda/common/dynamo.client';
import { S3Files } from '../lambda/common/s3.client';
import { HistoryCopiesClient } from '../lambda/registry/history-copies.client';
import { ModelRegistryClient } from '../lambda/registry/model-registry.client';
import { RegistryReader } from '../lambda/registry/registry-reader';
import { RegistryStore } from '../lambda/registry/registry-store.client';
import { GovernorClient } from '../lambda/retraining/governor.client';
import { SearchIndex } from '../lambda/search/search-index.client';
import type { Sources } from '../lambda/search/sources';
import { ExperimentsClient } from '../lambda/tracking/experiments.client';
import { LineageClient } from '../lambda/tracking/lineage.client';
import { RunTrackerClient } from '../lambda/tracking/run-tracker.client';
import { RunsClient } from '../lambda/tracking/runs.client';
import { modelParameter, type ModelResources, PARAMETER_ROOT, platformParameter, type PlatformResources } from '../lib/platform/contract';
import { LocalEngine } from '../local/engine';
import { type EngineState, isUp } from '../local/engine-state';
import { SignedApi } from './api';
import { CliError, UsageError } from './errors';
import type { PlatformOptions } from './options';

/** How SDK clients reach AWS or a local engine; empty: the standard environment and credential chain. */
export interface Connection {
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** The engine that `--local [name]` means; without a name `default`, else the only one that runs, those that other commands hold last. */
export function localEngine(name: string | true | undefined): LocalEngine {
  const up = LocalEngine.list().filter(isUp);
  const wanted = typeof name === 'string' && name !== '' ? name : onlyOne(up.filter(({ attached }) => !attached)) ?? onlyOne(up) ?? 'default';
  const engine = LocalEngine.find(wanted);
  if (engine) return engine;
  const running = up.length ? `name one that runs: ${up.map((state) => state.name).join(', ')}` : 'start one with `mlops local start`';
  throw new CliError(`there is no running local engine "${wanted}"`, running);
}

const onlyOne = (states: readonly EngineState[]): string | undefined =>
  states.find(({ name }) => name === 'default')?.name ?? (states.length === 1 ? states[0].name : undefined);

export function connect(local: PlatformOptions['local']): Connection {
  if (local === undefined) return {};
  const { endpoint, state } = localEngine(local);
  return { region: state.region, endpoint, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
}

const text = z.string().min(1);
const platformShape = z.object({
  platform: text,
  artifactsBucket: text,
  dataBucket: text,
  predictionsBucket: text,
  reportsBucket: text,
  registryTable: text,
  historyTable: text,
  runsTable: text,
  governorTable: text,
  busName: text,
  historyCopiesBucket: text.optional(),
  searchTable: text.optional(),
  apiUrl: text.optional(),
  tokenKeyArn: text.optional(),
}) satisfies z.ZodType<PlatformResources>;
const modelShape = z.object({
  model: text,
  endpointName: text,
  servingKind: z.enum(['SERVERLESS', 'REAL_TIME']),
  recorderFunction: text.optional(),
  monitorStateMachineArn: text,
  stateMachineArn: text,
  decideFunction: text.optional(),
}) satisfies z.ZodType<ModelResources>;

/** A deployed platform and the clients of its stores. */
export class Platform {
  private readonly documents: DynamoDBDocumentClient;

  constructor(
    readonly connection: Connection,
    readonly resources: PlatformResources,
    readonly models: readonly ModelResources[],
  ) {
    this.documents = createDocumentClient(new DynamoDBClient(connection));
  }

  get name(): string {
    return this.resources.platform;
  }

  get registry(): ModelRegistryClient {
    return new ModelRegistryClient(this.resources.registryTable, this.resources.historyTable, this.documents);
  }

  /** Locked copies of the registry's history, where they are kept. */
  get historyCopies(): HistoryCopiesClient | undefined {
    const { historyCopiesBucket } = this.resources;
    if (historyCopiesBucket === undefined) return undefined;
    const forcePathStyle = this.connection.endpoint !== undefined;
    return new HistoryCopiesClient(historyCopiesBucket, new S3Files(new S3Client({ ...this.connection, forcePathStyle })));
  }

  get runs(): RunTrackerClient {
    return new RunTrackerClient(this.resources.runsTable, this.documents);
  }

  /** Runs of any origin, with every point of their metrics. */
  get tracking(): RunsClient {
    return new RunsClient(this.resources.runsTable, this.documents);
  }

  get experiments(): ExperimentsClient {
    return new ExperimentsClient(this.resources.runsTable, this.documents);
  }

  get lineage(): LineageClient {
    return new LineageClient(this.resources.runsTable, this.documents);
  }

  get search(): SearchIndex {
    const { searchTable } = this.resources;
    if (searchTable === undefined) throw new CliError(`platform ${this.name} has no index of words`, 'it needs a registry and a tracker of its own');
    return new SearchIndex(searchTable, this.documents);
  }

  get searchSources(): Sources {
    const { registryTable, historyTable, runsTable } = this.resources;
    const store = new RegistryStore(registryTable, historyTable, this.documents);
    const { experiments } = this;
    return { store, registry: new RegistryReader(store), experiments, runs: new RunsClient(runsTable, this.documents, experiments) };
  }

  get api(): SignedApi {
    const { apiUrl } = this.resources;
    if (apiUrl === undefined) throw new CliError(`platform ${this.name} has no API`, 'deploy it with `api: true`, which is the default');
    return new SignedApi(apiUrl, this.connection);
  }

  get governor(): GovernorClient {
    return new GovernorClient(this.resources.governorTable, this.documents);
  }

  model(name: string): ModelResources {
    const found = this.models.find((model) => model.model === name);
    if (found) return found;
    const names = this.models.map(({ model }) => model).join(', ') || 'none';
    throw new CliError(`platform ${this.name} has no model "${name}"`, `its models: ${names}`);
  }
}

/** Finds the platform that the options mean by its SSM parameters. */
export async function findPlatform(options: PlatformOptions): Promise<Platform> {
  const connection = connect(options.local);
  const parameters = await parametersBelow(connection, options.platform ? `${PARAMETER_ROOT}/${options.platform}` : PARAMETER_ROOT);
  const values = new Map(parameters.map(({ Name: name = '', Value: value = '' }) => [name, value]));
  const names = [...new Set([...values.keys()].map((name) => name.split('/')[2]))].filter((name) => values.has(platformParameter(name)));
  const name = choose(names, options);
  const models = [...values.keys()].filter((key) => key.startsWith(modelParameter(name, '')));
  return new Platform(
    connection,
    parse(platformShape, platformParameter(name), values),
    models.map((key) => parse(modelShape, key, values)).sort((a, b) => a.model.localeCompare(b.model)),
  );
}

function choose(names: readonly string[], { platform, local }: PlatformOptions): string {
  const where = local === undefined ? 'in this account and region' : 'in this local engine';
  if (names.length === 1) return names[0];
  if (names.length > 1) throw new UsageError(`there are several platforms ${where}: ${[...names].sort().join(', ')}`, 'choose one with --platform');
  const what = platform ? `no platform "${platform}"` : 'no platform';
  throw new CliError(`there is ${what} ${where}`, 'deploy one with `cdk deploy`, check AWS_PROFILE and AWS_REGION, or add --local');
}

function parse<T>(shape: z.ZodType<T>, name: string, values: ReadonlyMap<string, string>): T {
  try {
    return shape.parse(JSON.parse(values.get(name) ?? ''));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error).replaceAll('\n', ' ') : (error as Error).message;
    const fix = 'deploy with the version that this command comes from';
    throw new CliError(`the parameter ${name} does not describe a platform of this version: ${why}`, fix);
  }
}

async function parametersBelow(connection: Connection, path: string): Promise<Parameter[]> {
  const client = new SSMClient(connection);
  const found: Parameter[] = [];
  let token: string | undefined;
  do {
    const page = await client.send(new GetParametersByPathCommand({ Path: path, Recursive: true, NextToken: token }));
    found.push(...(page.Parameters ?? []));
    token = page.NextToken;
  } while (token);
  return found;
}
