import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { client } from '../integration/harness';

export interface Traffic {
  readonly answered: number;
  readonly failed: number;
}

/** Asks an endpoint with the x, again and again, while something is done. */
export const underTraffic = async <T>(
  EndpointName: string,
  x: number,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly traffic: Traffic }> => {
  const runtime = client(SageMakerRuntimeClient);
  const traffic = { answered: 0, failed: 0 };
  let over = false;
  const asking = (async () => {
    while (!over) {
      const request = new InvokeEndpointCommand({ EndpointName, Body: Buffer.from(`2024-01-01T00:00:00Z,${x}\n`), ContentType: 'text/csv' });
      await runtime.send(request).then(
        () => (traffic.answered += 1),
        () => (traffic.failed += 1),
      );
      await sleep(100);
    }
  })();
  try {
    return { result: await work(), traffic };
  } finally {
    over = true;
    await asking;
  }
};
