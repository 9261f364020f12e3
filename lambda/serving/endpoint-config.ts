import type { CreateEndpointConfigCommandInput, ProductionVariant } from '@aws-sdk/client-sagemaker';
import { ENDPOINT_TAG, type ReleaseRequest, type ServingSpec, VARIANT_NAME } from '../../lib/serving/contract';

/** Instances with local NVMe storage: SageMaker refuses a volume key for them, their disks encrypt themselves. */
const HAS_INSTANCE_STORAGE = /^ml\.(p\d|g\d|trn|inf|[a-z]+\d+[a-z]*d[a-z]*\.)/;

/** The endpoint configuration that serves one model version as the spec says. */
export const endpointConfigInput = (
  spec: ServingSpec,
  request: Pick<ReleaseRequest, 'endpointConfigName' | 'sagemakerModelName'>,
): CreateEndpointConfigCommandInput => {
  const common = {
    EndpointConfigName: request.endpointConfigName,
    Tags: [{ Key: ENDPOINT_TAG, Value: spec.endpointName }],
  };
  const variant = { VariantName: VARIANT_NAME, ModelName: request.sagemakerModelName };
  if (spec.kind === 'SERVERLESS') {
    return {
      ...common,
      ProductionVariants: [{ ...variant, ServerlessConfig: { MemorySizeInMB: spec.memorySizeInMb, MaxConcurrency: spec.maxConcurrency } }],
    };
  }
  const instanceType = spec.instanceType as ProductionVariant['InstanceType'];
  return {
    ...common,
    ProductionVariants: [{ ...variant, InstanceType: instanceType, InitialInstanceCount: spec.initialInstanceCount, InitialVariantWeight: 1 }],
    DataCaptureConfig: {
      EnableCapture: true,
      InitialSamplingPercentage: spec.captureSamplingPercentage,
      DestinationS3Uri: spec.captureUri,
      KmsKeyId: spec.kmsKeyArn,
      CaptureOptions: [{ CaptureMode: 'Input' }, { CaptureMode: 'Output' }],
      // Without these lists every payload is written as base64.
      CaptureContentTypeHeader: { CsvContentTypes: ['text/csv'], JsonContentTypes: ['application/json', 'application/jsonlines'] },
    },
    KmsKeyId: spec.instanceType && HAS_INSTANCE_STORAGE.test(spec.instanceType) ? undefined : spec.kmsKeyArn,
    // SageMaker's default is true: metrics of hosts and containers that nothing here reads, paid for by the account.
    MetricsConfig: { EnableDetailedObservability: false },
  };
};

/** Version that a configuration of the endpoint is named for; undefined for one that no release made. */
export const versionIn = (configName: string, endpointName: string): number | undefined => {
  const [, version] = (configName.startsWith(endpointName) && /^-v(\d+)-/.exec(configName.slice(endpointName.length))) || [];
  return version === undefined ? undefined : Number(version);
};

/** Whether a configuration serves the very model that is asked for. */
export const servesModel = (found: { ProductionVariants?: ProductionVariant[] } | undefined, modelName: string): boolean =>
  found?.ProductionVariants?.[0]?.ModelName === modelName;

/** Why a configuration of that name cannot serve as the wanted one; undefined where it can. The model counts unless it is any of the version's. */
export const differenceOf = (
  wanted: CreateEndpointConfigCommandInput,
  found: { ProductionVariants?: ProductionVariant[] },
  anyModel = false,
): string | undefined => {
  const [want] = wanted.ProductionVariants ?? [];
  const [have] = found.ProductionVariants ?? [];
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['model', want?.ModelName, anyModel ? want?.ModelName : have?.ModelName],
    ['instance type', want?.InstanceType, have?.InstanceType],
    ['memory', want?.ServerlessConfig?.MemorySizeInMB, have?.ServerlessConfig?.MemorySizeInMB],
    ['max concurrency', want?.ServerlessConfig?.MaxConcurrency, have?.ServerlessConfig?.MaxConcurrency],
  ];
  const different = pairs.filter(([, a, b]) => a !== b).map(([name, a, b]) => `${name} is ${b ?? 'not set'} instead of ${a ?? 'not set'}`);
  return different.length > 0 ? different.join(', ') : undefined;
};
