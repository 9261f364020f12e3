import {
  paginateListAutoMLJobs,
  paginateListHyperParameterTuningJobs,
  paginateListProcessingJobs,
  paginateListTrainingJobs,
  paginateListTransformJobs,
  SageMakerClient,
  StopAutoMLJobCommand,
  StopHyperParameterTuningJobCommand,
  StopProcessingJobCommand,
  StopTrainingJobCommand,
  StopTransformJobCommand,
} from '@aws-sdk/client-sagemaker';
import type { JobKind } from './job-facts';

const RUNNING = { StatusEquals: 'InProgress' } as const;

export interface FoundJob {
  readonly kind: JobKind;
  readonly name: string;
}

/** A job that ended meanwhile cannot be stopped and need not be. */
const unlessOver = async (call: () => Promise<unknown>): Promise<void> => {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof Error && ['ValidationException', 'ResourceNotFound'].includes(error.name))) throw error;
  }
};

/** Jobs of runs. */
export class JobsClient {
  constructor(private readonly client: SageMakerClient = new SageMakerClient({})) {}

  /** Stops what still runs among the jobs of these kinds whose names hold the text and that are meant; answers them. */
  async stopRunning(kinds: readonly JobKind[], nameContains: string, isMeant: (name: string) => boolean = () => true): Promise<FoundJob[]> {
    const stopped: FoundJob[] = [];
    for (const kind of kinds) {
      for await (const name of this.running(kind, nameContains)) {
        if (!isMeant(name)) continue;
        await unlessOver(() => this.stop({ kind, name }));
        stopped.push({ kind, name });
      }
    }
    return stopped;
  }

  private async *running(kind: JobKind, nameContains: string): AsyncGenerator<string> {
    const { client } = this;
    const query = { NameContains: nameContains, ...RUNNING };
    if (kind === 'training') {
      for await (const page of paginateListTrainingJobs({ client }, query)) yield* names(page.TrainingJobSummaries, 'TrainingJobName');
    } else if (kind === 'transform') {
      for await (const page of paginateListTransformJobs({ client }, query)) yield* names(page.TransformJobSummaries, 'TransformJobName');
    } else if (kind === 'processing') {
      for await (const page of paginateListProcessingJobs({ client }, query)) yield* names(page.ProcessingJobSummaries, 'ProcessingJobName');
    } else if (kind === 'tuning') {
      // Their training jobs end with them.
      for await (const page of paginateListHyperParameterTuningJobs({ client }, query)) {
        yield* names(page.HyperParameterTuningJobSummaries, 'HyperParameterTuningJobName');
      }
    } else {
      for await (const page of paginateListAutoMLJobs({ client }, query)) yield* names(page.AutoMLJobSummaries, 'AutoMLJobName');
    }
  }

  private stop({ kind, name }: FoundJob): Promise<unknown> {
    switch (kind) {
      case 'training':
        return this.client.send(new StopTrainingJobCommand({ TrainingJobName: name }));
      case 'transform':
        return this.client.send(new StopTransformJobCommand({ TransformJobName: name }));
      case 'processing':
        return this.client.send(new StopProcessingJobCommand({ ProcessingJobName: name }));
      case 'tuning':
        return this.client.send(new StopHyperParameterTuningJobCommand({ HyperParameterTuningJobName: name }));
      case 'auto-ml':
        return this.client.send(new StopAutoMLJobCommand({ AutoMLJobName: name }));
    }
  }
}

const names = <K extends string>(found: readonly { readonly [name in K]?: string }[] = [], name: K): string[] =>
  found.flatMap((one) => one[name] ?? []);
