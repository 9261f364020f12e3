/** What SageMaker tells of a job, where Step Functions' history holds it. */
export interface JobFacts {
  readonly kind: JobKind;
  readonly name: string;
  readonly instanceType?: string;
  /** What is billed: seconds of all instances together. */
  readonly instanceSeconds?: number;
  readonly trainingSeconds?: number;
  /** `Completed`, `Failed`, `Stopped`. */
  readonly status?: string;
}

export type JobKind = 'training' | 'transform' | 'processing' | 'tuning' | 'auto-ml';

type Data = Record<string, unknown>;

/** Field with the name of the job, of its status, and path of its instances. */
const KINDS: readonly (readonly [JobKind, string, string, string])[] = [
  ['training', 'TrainingJobName', 'TrainingJobStatus', 'ResourceConfig'],
  ['transform', 'TransformJobName', 'TransformJobStatus', 'TransformResources'],
  ['processing', 'ProcessingJobName', 'ProcessingJobStatus', 'ProcessingResources.ClusterConfig'],
  ['tuning', 'HyperParameterTuningJobName', 'HyperParameterTuningJobStatus', 'TrainingJobDefinition.ResourceConfig'],
  ['auto-ml', 'AutoMLJobName', 'AutoMLJobStatus', ''],
];

const REQUESTS: readonly (readonly [RegExp, JobKind])[] = [
  [/createTrainingJob/i, 'training'],
  [/createTransformJob/i, 'transform'],
  [/createProcessingJob/i, 'processing'],
  [/createHyperParameterTuningJob/i, 'tuning'],
  [/createAutoMLJob/i, 'auto-ml'],
];

/** Kind of job that a state asks for, from the resource of its integration. */
export const kindOfRequest = (resource = ''): JobKind | undefined => REQUESTS.find(([pattern]) => pattern.test(resource))?.[1];

/** Reads the description, or the request, of a job; undefined where the text is neither. */
export const jobFacts = (text: string | undefined): JobFacts | undefined => {
  const data = parsedObject(text);
  if (!data) return undefined;
  const found = KINDS.find(([, name]) => typeof data[name] === 'string');
  if (!found) return nameOfBroken(text ?? '');
  const [kind, name, status, instances] = found;
  const resources = instances === '' ? undefined : (valueAt(data, instances) as Data | undefined);
  const type = resources?.InstanceType;
  const count = Number(resources?.InstanceCount ?? 1);
  const seconds = billedSeconds(kind, data);
  return {
    kind,
    name: data[name] as string,
    ...(typeof type === 'string' && { instanceType: type }),
    ...(seconds !== undefined && { instanceSeconds: Math.round(seconds * count) }),
    ...(typeof data.TrainingTimeInSeconds === 'number' && { trainingSeconds: data.TrainingTimeInSeconds }),
    ...(typeof data[status] === 'string' && { status: data[status] }),
  };
};

/** Training tells what it bills; the others are billed while they run. What a tuning tells is how long it took, whatever ran at the same time. */
const billedSeconds = (kind: JobKind, data: Data): number | undefined => {
  if (kind === 'training') return typeof data.BillableTimeInSeconds === 'number' ? data.BillableTimeInSeconds : undefined;
  const [start, end] = kind === 'transform' ? [data.TransformStartTime, data.TransformEndTime] : [data.ProcessingStartTime, data.ProcessingEndTime];
  const took = (milliseconds(end) - milliseconds(start)) / 1000;
  return took >= 0 ? took : undefined;
};

/** A time reaches a history as text, milliseconds, or the seconds that SageMaker itself writes. */
const milliseconds = (value: unknown): number =>
  typeof value === 'number' ? (value < 1e11 ? value * 1000 : value) : typeof value === 'string' ? Date.parse(value) : Number.NaN;

/** The JSON of a cause is cut off where it is too long: the name stands near its beginning. */
const nameOfBroken = (text: string): JobFacts | undefined => {
  for (const [kind, field] of KINDS) {
    const found = textField(text, field);
    if (found !== undefined) return { kind, name: found };
  }
  return undefined;
};

/** Value of a text field in JSON that need not be whole. */
export const textField = (text: string, field: string): string | undefined => {
  const found = new RegExp(`"${field}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")`).exec(text);
  if (!found) return undefined;
  try {
    return JSON.parse(found[1]) as string;
  } catch {
    return undefined;
  }
};

export const parsedObject = (text: string | undefined): Data | undefined => {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Data) : undefined;
  } catch {
    return text?.trimStart().startsWith('{') ? {} : undefined;
  }
};

export const valueAt = (data: Data, place: string): unknown =>
  place.split('.').reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? (value as Data)[key] : undefined), data);
