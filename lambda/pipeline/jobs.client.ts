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

  /** Stops what still runs among the jobs whose names hold the text and that are meant; answers them. */
  async stopRunning(nameContains: string, isMeant: (name: string) => boolean = () => true): Promise<FoundJob[]> {
    const stopped: FoundJob[] = [];
    // A tuning before its training jobs, which end with it.
    for await (const job of this.running(nameContains)) {
      if (!isMeant(job.name)) continue;
      await unlessOver(() => this.stop(job));
      stopped.push(job);
    }
    return stopped;
  }

  private async *running(nameContains: string): AsyncGenerator<FoundJob> {
    const { client } = this;
    // One object for each list: a paginator leaves its last token in what it is given.
    const query = () => ({ NameContains: nameContains, ...RUNNING });
    for await (const { HyperParameterTuningJobSummaries = [] } of paginateListHyperParameterTuningJobs({ client }, query())) {
      for (const { HyperParameterTuningJobName: name = '' } of HyperParameterTuningJobSummaries) yield { kind: 'tuning', name };
    }
    for await (const { AutoMLJobSummaries = [] } of paginateListAutoMLJobs({ client }, query())) {
      for (const { AutoMLJobName: name = '' } of AutoMLJobSummaries) yield { kind: 'auto-ml', name };
    }
    for await (const { TrainingJobSummaries = [] } of paginateListTrainingJobs({ client }, query())) {
      for (const { TrainingJobName: name = '' } of TrainingJobSummaries) yield { kind: 'training', name };
    }
    for await (const { TransformJobSummaries = [] } of paginateListTransformJobs({ client }, query())) {
      for (const { TransformJobName: name = '' } of TransformJobSummaries) yield { kind: 'transform', name };
    }
    for await (const { ProcessingJobSummaries = [] } of paginateListProcessingJobs({ client }, query())) {
      for (const { ProcessingJobName: name = '' } of ProcessingJobSummaries) yield { kind: 'processing', name };
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
