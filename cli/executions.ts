import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand, GetExecutionHistoryCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { CliError } from './errors';

const POLL_MILLISECONDS = 250;

export interface Following {
  /** How errors name the execution. */
  readonly what: string;
  /** Told each state as it is entered; without it no history is read. */
  readonly onState?: (state: string) => void;
  /** What a state is called; its name by default. */
  readonly nameOf?: (state: string, input: string) => string;
  /** What to do where it fails. */
  readonly fix?: string;
}

/** Follows an execution to its end and answers its output; one that does not succeed throws with state, error and cause. */
export async function followExecution<T>(machines: SFNClient, executionArn: string, { what, onState, nameOf, fix }: Following): Promise<T> {
  let last: string | undefined;
  for (;;) {
    const { status, output, error = '', cause = '' } = await machines.send(new DescribeExecutionCommand({ executionArn }));
    const state = onState && (await currentState(machines, executionArn, nameOf));
    if (state !== undefined && state !== last) onState?.(state);
    last = state ?? last;
    if (status === 'SUCCEEDED') return JSON.parse(output ?? '{}') as T;
    if (status !== 'RUNNING') {
      const why = `${error} ${cause}`.trim();
      throw new CliError(`${what} ended ${status}${last ? ` in ${last}` : ''}${why ? `: ${why}` : ''}`, fix);
    }
    await sleep(POLL_MILLISECONDS);
  }
}

/** The state that was entered last. */
async function currentState(machines: SFNClient, executionArn: string, nameOf: Following['nameOf'] = (name) => name): Promise<string | undefined> {
  const { events = [] } = await machines.send(new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 30 }));
  const entered = events.find((event) => event.stateEnteredEventDetails)?.stateEnteredEventDetails;
  return entered?.name === undefined ? undefined : nameOf(entered.name, entered.input ?? '');
}
