import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { Batch, RunsClient } from '../../../lambda/tracking/runs.client';
import { MetricPoint, Run, TRACKING_ERRORS } from '../../../lib/tracking/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';

const few = <T>(value: fc.Arbitrary<T>, maxLength = 6) => fc.array(value, { maxLength });
const key = fc.constantFrom('a', 'b', 'c', '__proto__', '7', 'λ', '🚲');
/** Short ones, ones that have to leave the row, and ones that cannot be compressed. */
const text = fc.oneof(
  fc.constantFrom('', 'x', 'y'),
  fc.integer({ min: 2_000, max: 9_000 }).map((length) => 'z'.repeat(length)),
  fc.uint8Array({ minLength: 2_100, maxLength: 4_000 }).map((bytes) => Buffer.from(bytes).toString('base64')),
);
const entry = fc.record({ key, value: text });
const point = fc.record({
  key,
  value: fc.oneof(fc.constantFrom(NaN, Infinity, -Infinity, -0, 0, Number.MAX_VALUE, 5e-324), fc.double()),
  timestamp: fc.oneof(fc.nat(3), fc.constant(Number.MAX_SAFE_INTEGER)),
  step: fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1)),
}) as fc.Arbitrary<MetricPoint>;
const batch: fc.Arbitrary<Batch> = fc.record({
  metrics: few(point, 10),
  params: fc.uniqueArray(fc.record({ key, value: fc.oneof({ weight: 4, arbitrary: fc.constant('x') }, { weight: 1, arbitrary: text }) }), {
    selector: (one) => one.key,
    maxLength: 4,
  }),
  tags: few(entry),
});

const stored = (value: number): number => (value === Infinity ? Number.MAX_VALUE : value === -Infinity ? -Number.MAX_VALUE : value + 0);
const rank = (value: number): number => (Number.isNaN(value) ? -Infinity : value);

/** What a run says after batches: the simplest model of it. */
class Model {
  readonly params = new Map<string, string>();
  readonly tags = new Map<string, string>();
  readonly points = new Map<string, MetricPoint>();

  /** Whether the batch was taken. */
  take({ metrics = [], params = [], tags = [] }: Batch): boolean {
    if (params.some((one) => this.params.has(one.key) && this.params.get(one.key) !== one.value)) return false;
    for (const one of params) this.params.set(one.key, one.value);
    for (const one of tags) this.tags.set(one.key, one.value);
    for (const one of metrics) {
      const value = stored(one.value);
      this.points.set(JSON.stringify([one.key, String(value), one.timestamp, one.step]), { ...one, value });
    }
    return true;
  }

  history(name: string): MetricPoint[] {
    return [...this.points.values()]
      .filter((one) => one.key === name)
      .sort((a, b) => a.timestamp - b.timestamp || a.step - b.step || order(rank(a.value), rank(b.value)));
  }

  latest(name: string): MetricPoint | undefined {
    return this.history(name).sort((a, b) => a.step - b.step || a.timestamp - b.timestamp || order(rank(a.value), rank(b.value))).at(-1);
  }
}

const order = (a: number, b: number): number => Number(a > b) - Number(a < b);

const check = async (runs: RunsClient, runId: string, model: Model): Promise<void> => {
  const run = await runs.get(runId);
  expect(sorted(run.params)).toEqual(sorted(Object.fromEntries(model.params)));
  expect(sorted(run.tags)).toEqual(sorted(Object.fromEntries([...model.tags, ['mlflow.runName', 'n']])));
  const names = new Set([...model.points.values()].map((one) => one.key));
  expect(Object.keys(run.metrics).sort()).toEqual([...names].sort());
  for (const name of names) {
    expect(run.metrics[name]).toEqual(model.latest(name));
    expect(await runs.metricHistory(runId, name)).toEqual(model.history(name));
  }
  const pages: Run[] = [];
  for await (const page of runs.rows('0')) pages.push(...page);
  expect(pages).toEqual([run]);
};

const sorted = (values: Readonly<Record<string, string>>): [string, string][] => Object.entries(values).sort(([a], [b]) => order(a < b ? -1 : 1, 0));

const setUp = async (): Promise<{ dynamo: MemoryDynamo; runs: RunsClient; runId: string }> => {
  const dynamo = new MemoryDynamo();
  const runs = new RunsClient('runs', dynamo.client());
  const { runId } = await runs.create({ experimentId: '0', name: 'n' });
  return { dynamo, runs, runId };
};

/** Requests take a while, some longer than others, so that those of several callers mix. */
const slow = (dynamo: MemoryDynamo): void => {
  const send = dynamo.send.bind(dynamo);
  let seed = 1;
  dynamo.send = async (command) => {
    seed = (seed * 16_807) % 2_147_483_647;
    for (let turns = seed % 4; turns >= 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
    return send(command);
  };
};

test('batches one after the other, some of them repeated: latest metrics, history, parameters and tags are those of a simple model', async () => {
  await fc.assert(
    fc.asyncProperty(few(fc.record({ batch, repeated: fc.boolean() }), 8), async (steps) => {
      const { runs, runId } = await setUp();
      const model = new Model();
      for (const step of steps) {
        for (let time = 0; time < (step.repeated ? 2 : 1); time += 1) {
          const logged = runs.logBatch(runId, step.batch);
          if (model.take(step.batch)) await logged;
          else await expect(logged).rejects.toMatchObject({ name: TRACKING_ERRORS.paramChanged });
        }
      }
      await check(runs, runId, model);
    }),
    { numRuns: 60 },
  );
});

test('batches at once: they leave what some order of them would leave, and each is taken or refused as a whole', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 2, maxLength: 6 }), async (batches) => {
      const { dynamo, runId } = await setUp();
      slow(dynamo);
      const taken: Batch[] = [];
      const writers = batches.map(async (one, index) => {
        // Tags of all of them: the last one wins, which only the table knows.
        const own = { ...one, tags: [{ key: `writer${index}`, value: 'x' }] };
        try {
          await new RunsClient('runs', dynamo.client()).logBatch(runId, own);
          taken.push(own);
        } catch (error) {
          expect(error).toMatchObject({ name: TRACKING_ERRORS.paramChanged });
        }
      });
      await Promise.all(writers);
      const model = new Model();
      for (const one of taken) expect(model.take(one)).toBe(true);
      await check(new RunsClient('runs', dynamo.client()), runId, model);
    }),
    { numRuns: 40 },
  );
}, 30_000);

test('transactions fail in between: a batch is there whole or not at all, and once where it is repeated until it is taken', async () => {
  const busy = (): Error =>
    new TransactionCanceledException({ message: 'busy', $metadata: {}, CancellationReasons: [{ Code: 'ThrottlingError' }, { Code: 'None' }] });
  await fc.assert(
    fc.asyncProperty(few(batch, 5), few(fc.constantFrom('take', 'fail', 'lose', 'busy'), 12), async (batches, faults) => {
      const { dynamo, runs, runId } = await setUp();
      const model = new Model();
      const send = dynamo.send.bind(dynamo);
      let count = 0;
      dynamo.send = async (command) => {
        if (!(command instanceof TransactWriteCommand)) return send(command);
        const fault = faults[count++];
        if (fault === 'fail') throw new Error('no connection');
        if (fault === 'busy') throw busy();
        const answer = await send(command);
        if (fault === 'lose') throw new Error('no answer');
        return answer;
      };
      for (const one of batches) {
        const known = new Model();
        known.take({ params: [...model.params].map(([name, value]) => ({ key: name, value })) });
        const possible = known.take(one);
        for (let open = true; open; ) {
          try {
            await runs.logBatch(runId, one);
            open = false;
          } catch (error) {
            if (!possible) expect(error).toMatchObject({ name: TRACKING_ERRORS.paramChanged });
            open = possible;
          }
        }
        model.take(one);
      }
      dynamo.send = send;
      await check(runs, runId, model);
    }),
    { numRuns: 40 },
  );
}, 30_000);

test('readers see whole batches only, also of what stands outside of the row', async () => {
  const { dynamo, runs, runId } = await setUp();
  // Pages of one query may be of different times.
  dynamo.pageSize = 3;
  slow(dynamo);
  let writing = true;
  const written = (async () => {
    for (let round = 0; round < 25; round += 1) {
      const value = `${round} ${'x'.repeat(3_000)}`;
      await runs.logBatch(runId, { tags: Array.from({ length: 20 }, (_, index) => ({ key: `t${index}`, value })) });
    }
    writing = false;
  })();
  const reader = new RunsClient('runs', dynamo.client());
  while (writing) {
    const { tags } = await reader.get(runId);
    expect(new Set(Array.from({ length: 20 }, (_, index) => tags[`t${index}`])).size).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await written;
});
