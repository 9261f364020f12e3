import { AutoMlJobs } from './automl';
import type { Context } from './context';
import { EndpointConfigs } from './endpoint-configs';
import { Endpoints } from './endpoints';
import { ServiceError } from './errors';
import type { JobFault } from './job-faults';
import { Models } from './models';
import { ProcessingJobs } from './processing';
import { TrainingJobs } from './training';
import { TransformJobs } from './transform';
import { TuningJobs } from './tuning';

type Handler = (input: unknown, fault?: JobFault) => unknown;

interface Parts {
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly endpoints: Endpoints;
  settled(): Promise<void>;
}

const RESOURCES = ['EndpointConfig', 'Endpoint', 'Model', 'TrainingJob', 'TransformJob', 'ProcessingJob', 'HyperParameterTuningJob'];

export const OPERATIONS: readonly string[] = [
  ...RESOURCES.flatMap((resource) => [`Create${resource}`, `Describe${resource}`, `List${resource}s`]),
  'StopTrainingJob',
  'StopTransformJob',
  'StopProcessingJob',
  'StopHyperParameterTuningJob',
  ...['CreateAutoMLJobV2', 'DescribeAutoMLJobV2', 'ListAutoMLJobs', 'StopAutoMLJob'],
  'ListTrainingJobsForHyperParameterTuningJob',
  'DeleteModel',
  'DeleteEndpointConfig',
  'DeleteEndpoint',
  'UpdateEndpoint',
  'UpdateEndpointWeightsAndCapacities',
  'AddTags',
  'ListTags',
  'DeleteTags',
];

/** The operations by name. Inputs have been validated against the service model before they come here. */
export function operationsOf(context: Context): Parts {
  const models = new Models(context);
  const configs = new EndpointConfigs(context, models);
  const endpoints = new Endpoints(context, configs, models);
  const training = new TrainingJobs(context);
  const transform = new TransformJobs(context, models);
  const processing = new ProcessingJobs(context);
  const tuning = new TuningJobs(context, training);
  const automl = new AutoMlJobs(context, tuning);
  const handlers = new Map<string, Handler>();
  const on = <T>(name: string, handler: (input: T, fault?: JobFault) => unknown) =>
    handlers.set(name, (input, fault) => handler(input as T, fault));

  on('CreateTrainingJob', training.create.bind(training));
  on('DescribeTrainingJob', training.describe.bind(training));
  on('ListTrainingJobs', training.list.bind(training));
  on('StopTrainingJob', training.stop.bind(training));
  on('CreateTransformJob', transform.create.bind(transform));
  on('DescribeTransformJob', transform.describe.bind(transform));
  on('ListTransformJobs', transform.list.bind(transform));
  on('StopTransformJob', transform.stop.bind(transform));
  on('CreateProcessingJob', processing.create.bind(processing));
  on('DescribeProcessingJob', processing.describe.bind(processing));
  on('ListProcessingJobs', processing.list.bind(processing));
  on('StopProcessingJob', processing.stop.bind(processing));
  on('CreateHyperParameterTuningJob', tuning.create.bind(tuning));
  on('DescribeHyperParameterTuningJob', tuning.describe.bind(tuning));
  on('ListHyperParameterTuningJobs', tuning.list.bind(tuning));
  on('ListTrainingJobsForHyperParameterTuningJob', tuning.listChildren.bind(tuning));
  on('StopHyperParameterTuningJob', tuning.stop.bind(tuning));
  on('CreateAutoMLJobV2', automl.create.bind(automl));
  on('DescribeAutoMLJobV2', automl.describe.bind(automl));
  on('ListAutoMLJobs', automl.list.bind(automl));
  on('StopAutoMLJob', automl.stop.bind(automl));
  on('CreateModel', models.create.bind(models));
  on('DescribeModel', models.describe.bind(models));
  on('ListModels', models.list.bind(models));
  on('DeleteModel', models.delete.bind(models));
  on('CreateEndpointConfig', configs.create.bind(configs));
  on('DescribeEndpointConfig', configs.describe.bind(configs));
  on('ListEndpointConfigs', configs.list.bind(configs));
  on('DeleteEndpointConfig', configs.delete.bind(configs));
  on('CreateEndpoint', endpoints.create.bind(endpoints));
  on('UpdateEndpoint', endpoints.update.bind(endpoints));
  on('UpdateEndpointWeightsAndCapacities', endpoints.updateWeights.bind(endpoints));
  on('DescribeEndpoint', endpoints.describe.bind(endpoints));
  on('ListEndpoints', endpoints.list.bind(endpoints));
  on('DeleteEndpoint', endpoints.delete.bind(endpoints));

  const tagged = (arn: string) => {
    if (!context.tags.knows(arn)) throw new ServiceError('ResourceNotFound', `Could not find resource with ARN ${arn}`);
    return arn;
  };
  on('AddTags', ({ ResourceArn, Tags }: { ResourceArn: string; Tags: Array<{ Key: string; Value: string }> }) => {
    context.tags.set(tagged(ResourceArn), Tags);
    return { Tags: context.tags.list(ResourceArn) };
  });
  on('ListTags', ({ ResourceArn }: { ResourceArn: string }) => ({ Tags: context.tags.list(tagged(ResourceArn)) }));
  on('DeleteTags', ({ ResourceArn, TagKeys }: { ResourceArn: string; TagKeys: string[] }) => {
    context.tags.unset(tagged(ResourceArn), TagKeys);
    return {};
  });

  return {
    handlers,
    endpoints,
    settled: async () => {
      tuning.close();
      await Promise.all([automl, tuning, training, transform, processing, endpoints].map((part) => part.settled()));
    },
  };
}
