import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { Command } from 'commander';
import { BillsClient } from '../../lambda/pipeline/bills.client';
import { accountOf } from '../../lambda/pipeline/execution-steps';
import { ExecutionsClient } from '../../lambda/pipeline/executions.client';
import { billOf } from '../../lambda/pipeline/run-bill';
import { stepNameOf } from '../../lambda/pipeline/step-of-state';
import type { RunRecord } from '../../lib/tracking/contract';
import { dollars, duration, fields, localTime, number, shorten, state, strong, table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform, type Platform } from '../platform';

export const register = (parent: Command, io: Io): void => {
  platformOptions(parent.command('show').description('one run: steps, parameters, metrics, and why it failed').argument('<run>')).action(
    async (runId: string, _, command: Command) => {
      const options = command.optsWithGlobals<PlatformOptions>();
      const platform = await findPlatform(options);
      const run = await asItStands(platform, await platform.runs.getRun(runId));
      emit(io, options, run, () => show(io, run));
    },
  );
};

/** A run under way as the state machine knows it: jobs put nothing on record themselves while they work. */
async function asItStands({ connection }: Platform, run: RunRecord): Promise<RunRecord> {
  if (run.status !== 'RUNNING') return run;
  try {
    const account = await accountOf(new ExecutionsClient(new SFNClient(connection)).events(run.executionArn));
    const bills = new BillsClient(new SageMakerClient(connection));
    const { steps, ...bill } = await billOf(account, run.prices, (job) => bills.ask(job));
    const known = new Map(run.steps.map((step) => [step.name, step]));
    // What a function has told of its own step is more than the state machine knows of it.
    const merged = steps.map((step) => ({ ...step, ...(known.get(step.name)?.status === step.status ? known.get(step.name) : {}) }));
    return { ...run, ...(merged.length > 0 && { ...bill, steps: merged }) };
  } catch (error) {
    if (error instanceof Error && /AccessDenied|ExecutionDoesNotExist|InvalidArn/.test(error.name)) return run;
    throw error;
  }
}

/** Step Functions takes a redrive within this time. */
const REDRIVABLE_DAYS = 14;
const DAY = 86_400_000;

/** Which step failed, why, where its lines are, and what to do. */
function failureOf({ runId, model, status, endTime, error }: RunRecord): Record<string, string | undefined> {
  if (!error) return {};
  const ended = endTime === undefined ? Date.now() : Date.parse(endTime);
  const isOld = Date.now() - ended > REDRIVABLE_DAYS * DAY;
  const resume = isOld ? `too late, it ended more than ${REDRIVABLE_DAYS} days ago: mlops runs start ${model}` : `mlops runs resume ${runId}`;
  return {
    'failed at': stepNameOf(error.step),
    error: `${error.name}: ${error.message}`,
    'exit code': error.exitCode?.toString(),
    job: error.job,
    logs: error.logs && `${error.logs.group} ${error.logs.stream}`,
    'logs page': error.logs?.url,
    resume: status === 'RUNNING' || status === 'FINISHED' ? undefined : resume,
  };
}

/** Dollars so far, or which part of them is unknown; nothing where nobody has stated prices. */
function costOf({ status, prices, costUsd, billed = [], unbilled = [] }: RunRecord): string | undefined {
  if (prices === undefined) return undefined;
  if (costUsd !== undefined) return `${dollars(costUsd)}${status === 'FINISHED' ? '' : ' so far'}`;
  const unpriced = billed.flatMap(({ instanceType }) => (Object.hasOwn(prices, instanceType) ? [] : [instanceType]));
  const why = [
    ...(unpriced.length > 0 ? [`no price is stated for ${unpriced.join(', ')}`] : []),
    ...(unbilled.length > 0 ? [`nobody tells what is billed for ${unbilled.join(', ')}`] : []),
  ];
  return why.length > 0 ? `unknown: ${why.join('; ')}` : undefined;
}

function show(io: Io, run: RunRecord): string {
  const about = fields(io, {
    run: run.runId,
    model: run.model,
    status: state(io, run.status),
    outcome: run.outcome && state(io, run.outcome),
    version: run.version ? `v${run.version}` : undefined,
    started: localTime(run.startTime),
    took: run.endTime && duration(run.startTime, run.endTime),
    cause: run.cause,
    'started by': run.startedBy,
    execution: run.executionArn,
    billed: run.billed?.map(({ instanceType, seconds }) => `${seconds} s of ${instanceType}`).join(', ') || undefined,
    cost: costOf(run),
    ...failureOf(run),
  });
  const isPriced = run.steps.some(({ costUsd }) => costUsd !== undefined);
  const steps = table(
    io,
    ['step', 'status', 'started', 'took', ...(isPriced ? ['cost'] : []), 'outcome'],
    run.steps.map((step) => [
      step.name,
      state(io, step.status),
      localTime(step.startTime),
      step.endTime ? duration(step.startTime, step.endTime) : '-',
      ...(isPriced ? [step.costUsd === undefined ? '-' : dollars(step.costUsd)] : []),
      shorten(step.error ?? Object.entries(step.outputs ?? {}).map(([name, value]) => `${name}=${value}`).join(' '), 90) || '-',
    ]),
  );
  const metrics = Object.fromEntries(Object.entries(run.metrics).map(([name, value]) => [name, number(value)]));
  const section = (title: string, values: Readonly<Record<string, string>>): string =>
    Object.keys(values).length === 0 ? '' : `\n${strong(io, title)}\n${fields(io, values)}`;
  return `${about}\n${steps}${section('metrics', metrics)}${section('parameters', run.params)}`;
}
