import { InvokeEndpointCommand, ModelError, SageMakerRuntimeClient, SageMakerRuntimeServiceException } from '@aws-sdk/client-sagemaker-runtime';

export interface Invocation {
  readonly endpointName: string;
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly accept?: string;
  readonly inferenceId: string;
  readonly customAttributes?: string;
}

export interface Prediction {
  readonly statusCode: number;
  readonly body: Uint8Array;
  readonly contentType?: string;
  readonly invokedProductionVariant?: string;
}

/** Calls the endpoint once. What it or SageMaker refuses is an answer with a status, not an error: the caller decides about another try. */
export class InvokeClient {
  constructor(private readonly client: SageMakerRuntimeClient = new SageMakerRuntimeClient({ maxAttempts: 1 })) {}

  async invoke(invocation: Invocation): Promise<Prediction> {
    try {
      const answer = await this.client.send(
        new InvokeEndpointCommand({
          EndpointName: invocation.endpointName,
          Body: invocation.body,
          ContentType: invocation.contentType,
          Accept: invocation.accept,
          InferenceId: invocation.inferenceId,
          CustomAttributes: invocation.customAttributes,
        }),
      );
      return {
        statusCode: answer.$metadata.httpStatusCode ?? 200,
        body: answer.Body ?? new Uint8Array(),
        contentType: answer.ContentType,
        invokedProductionVariant: answer.InvokedProductionVariant,
      };
    } catch (error) {
      return refusal(error);
    }
  }
}

const refusal = (error: unknown): Prediction => {
  if (error instanceof ModelError) {
    return text(error.OriginalStatusCode ?? error.$metadata.httpStatusCode ?? 424, error.OriginalMessage ?? error.message);
  }
  const status = error instanceof SageMakerRuntimeServiceException ? error.$metadata.httpStatusCode : undefined;
  // Without a status nothing was answered at all: that is for the caller's own error handling, not for a made-up status.
  if (status === undefined) throw error;
  return text(status, (error as Error).message);
};

const text = (statusCode: number, message: string): Prediction => ({ statusCode, body: Buffer.from(message), contentType: 'text/plain' });
