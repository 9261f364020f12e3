import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import type { Platform } from '../../platform';
import { requestCsv, type Hour } from '../bike-data';
import { MODEL } from '../deployed';

const CLIENTS = 3;
const PAUSE_MS = 20;
/** A forecast looks this far ahead. */
const HOURS_AHEAD = 6;

export interface Answer {
  readonly at: number;
  readonly ok: boolean;
}

/** Clients who ask the endpoint for the next hours, over and over through a day, as applications do: no request is sent twice. */
export class LiveTraffic {
  readonly answers: Answer[] = [];
  /** Of the first request that failed. */
  firstFailure?: string;
  private readonly runtime: SageMakerRuntimeClient;
  private readonly endpointName: string;
  private readonly clients: Promise<void>[];
  private running = true;
  private hour = 0;

  constructor(
    platform: Platform,
    private readonly day: readonly Hour[],
  ) {
    this.runtime = new SageMakerRuntimeClient({ ...platform.connection, maxAttempts: 1 });
    this.endpointName = platform.model(MODEL).endpointName;
    this.clients = Array.from({ length: CLIENTS }, () => this.ask());
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.clients);
  }

  /** Answers from one time to another, both in milliseconds. */
  between(from: number, to: number): { readonly sent: number; readonly failed: number } {
    const within = this.answers.filter(({ at }) => at >= from && at <= to);
    return { sent: within.length, failed: within.filter(({ ok }) => !ok).length };
  }

  private async ask(): Promise<void> {
    while (this.running) {
      const from = this.hour % this.day.length;
      this.hour += 1;
      const body = Buffer.from(requestCsv(this.day.slice(from, from + HOURS_AHEAD)));
      const at = Date.now();
      const request = new InvokeEndpointCommand({ EndpointName: this.endpointName, Body: body, ContentType: 'text/csv' });
      const failure = await this.runtime.send(request).then(
        () => undefined,
        (error: unknown) => error as Error,
      );
      this.answers.push({ at, ok: failure === undefined });
      if (failure) this.firstFailure ??= failure.message;
      await sleep(PAUSE_MS);
    }
  }
}
