import fc from 'fast-check';
import { routes } from '../../../../lambda/tracking/mlflow/routes';
import { MemoryApi } from './api';

const NAMES = `experiment_id experiment_ids name new_name run_id run_uuid run_ids key value timestamp step metrics params tags datasets dataset models
  model_id status start_time end_time run_name max_results filter order_by page_token view_type run_view_type metric_key version alias source stage
  stages description path archive_existing_versions artifact_location model_json digest schema num_parts upload_id parts`.split(/\s+/);

const SANE = {
  name: 'a',
  key: 'k',
  value: '1',
  timestamp: 1,
  version: '1',
  alias: 'x',
  stage: 'Staging',
  source: 's3://artifacts/x',
  max_results: 5,
};
const ids = ['0', '1', 'm-1', 'a', 'b'];
/** Looked up when it is used: the ids of what the test made are among them. */
const known = fc.nat(999).map((index) => ids[index % ids.length]);
const text = fc.oneof(known, fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constantFrom('', '../x', "name = 'a'", 'tag.a = 1', '{}'));
const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, -1, 1e300, 2 ** 60));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { maxKeys: 4 }),
  ),
}));
const body = fc.dictionary(fc.constantFrom(...NAMES), fc.oneof(text, value), { maxKeys: 8 });

const filled = (path: string, part: string): string => path.replace(/\{\w+\+?\}/g, encodeURIComponent(part));
const asQuery = (fields: Record<string, unknown>): string =>
  Object.entries(fields)
    .map(([key, field]) => `${key}=${encodeURIComponent(typeof field === 'string' ? field : JSON.stringify(field))}`)
    .join('&');

/** Handing out tokens and addresses needs services that are not here. */
const tested = routes.filter(({ path }) => !/^\/token\/|presigned|\/mpu\//.test(path));

describe('whatever a client sends is its own mistake, never a fault of the server', () => {
  const api = new MemoryApi();

  beforeAll(async () => {
    const { body: experiment } = await api.json('POST', 'experiments/create', { name: 'a' });
    ids.push(String(experiment.experiment_id));
    const { body: run } = await api.json('POST', 'runs/create', { experiment_id: experiment.experiment_id, run_name: 'a' });
    ids.push(String(run.run.info.run_id));
    await api.json('POST', 'registered-models/create', { name: 'a' });
    await api.json('POST', 'model-versions/create', { name: 'a', source: 's3://artifacts/a', run_id: run.run.info.run_id });
  });

  test.each(tested.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', async (_, { method, path }) => {
    const call = fc.record({ odd: body, sane: fc.boolean(), part: text.filter((part) => part !== '') });
    await fc.assert(
      fc.asyncProperty(call, async ({ odd, sane, part }) => {
        const fields = { ...(sane && { ...SANE, experiment_id: ids[5], experiment_ids: [ids[5]], run_id: ids[6] }), ...odd };
        const asked = method === 'GET' ? `${filled(path, part)}?${asQuery(fields)}` : filled(path, part);
        const sent = method === 'GET' ? undefined : JSON.stringify(fields);
        const answer = await api.call({ method, path: asked, headers: { 'content-type': 'application/json' }, body: sent });
        if (answer.bytes.includes('INTERNAL_ERROR')) throw new Error(`${method} ${asked} ${sent}: ${answer.bytes.toString()}`);
      }),
      { numRuns: 40 },
    );
  });
});
