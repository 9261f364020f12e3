import type { LogPlace } from '../../lib/tracking/contract';
import type { JobKind } from './job-facts';

/** Log groups of SageMaker; the jobs of a tuning are training jobs whose names begin with the tuning's. */
const GROUPS: Readonly<Record<JobKind, string>> = {
  training: '/aws/sagemaker/TrainingJobs',
  transform: '/aws/sagemaker/TransformJobs',
  processing: '/aws/sagemaker/ProcessingJobs',
  tuning: '/aws/sagemaker/TrainingJobs',
  'auto-ml': '/aws/sagemaker/ProcessingJobs',
};

/** Each instance of a job writes a stream of its own. */
export const logsOfJob = ({ kind, name }: { readonly kind: JobKind; readonly name: string }): LogPlace => ({
  group: GROUPS[kind],
  stream: kind === 'tuning' || kind === 'auto-ml' ? `${name}-` : `${name}/`,
});

/** What the containers of an endpoint say; each configuration's instances write streams below the variant's name. */
export const logsOfEndpoint = (endpointName: string, variantName: string): LogPlace => ({
  group: `/aws/sagemaker/Endpoints/${endpointName}`,
  stream: `${variantName}/`,
});

const HOSTS: Readonly<Record<string, string>> = { 'aws-cn': 'console.amazonaws.cn', 'aws-us-gov': 'console.amazonaws-us-gov.com' };

/** The console writes the parts of its own addresses percent-encoded twice, with a dollar for the percent sign. */
const encoded = (text: string): string => encodeURIComponent(encodeURIComponent(text)).replaceAll('%', '$');

/** Adds the console's page of a place; the ARN of anything in the same account tells partition and region. */
export const withUrl = (place: LogPlace, arn: string): LogPlace => {
  const [, partition, , region] = arn.split(':');
  const host = HOSTS[partition] ?? 'console.aws.amazon.com';
  const group = `https://${region}.${host}/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/${encoded(place.group)}`;
  const isPrefix = /[-/]$/.test(place.stream);
  const stream = isPrefix ? encodeURIComponent(`?logStreamNameFilter=${encodeURIComponent(place.stream)}`).replaceAll('%', '$') : undefined;
  return { ...place, url: `${group}${stream ?? `/log-events/${encoded(place.stream)}`}` };
};
