import {
  paginateListTrainingJobs,
  paginateListTransformJobs,
  SageMakerClient,
  StopTrainingJobCommand,
  StopTransformJobCommand,
} from '@aws-sdk/client-sagemaker';

const RUNNING = { StatusEquals: 'InProgress' } as const;

/** A job that ended meanwhile cannot be stopped and need not be. */
const unlessOver = async (call: () => Promise<unknown>): Promise<void> => {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof Error && ['ValidationException', 'ResourceNotFound'].includes(error.name))) throw error;
  }
};

/** Training and transform jobs of runs. */
export class JobsClient {
  constructor(private readonly client: SageMakerClient = new SageMakerClient({})) {}

  /** Stops what still runs among the jobs whose names hold the text; answers their names. */
  async stopRunning(nameContains: string): Promise<string[]> {
    const { client } = this;
    // One object for each list: a paginator leaves its last token in what it is given.
    const query = () => ({ NameContains: nameContains, ...RUNNING });
    const stopped: string[] = [];
    for await (const page of paginateListTrainingJobs({ client }, query())) {
      for (const { TrainingJobName } of page.TrainingJobSummaries ?? []) {
        await unlessOver(() => client.send(new StopTrainingJobCommand({ TrainingJobName })));
        stopped.push(TrainingJobName ?? '');
      }
    }
    for await (const page of paginateListTransformJobs({ client }, query())) {
      for (const { TransformJobName } of page.TransformJobSummaries ?? []) {
        await unlessOver(() => client.send(new StopTransformJobCommand({ TransformJobName })));
        stopped.push(TransformJobName ?? '');
      }
    }
    return stopped;
  }
}
