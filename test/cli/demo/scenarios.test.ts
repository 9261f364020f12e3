import { Stack } from 'aws-cdk-lib';
import { optionsOf } from '../../../bin/scenarios';
import { type Deployed, deploy } from '../../../cli/demo/deployed';
import { findScenario } from '../../../cli/demo/scenarios';
import { SCENARIO_NAMES, scenarioHelp } from '../../../cli/demo/scenarios/names';
import { check, type Outcome } from '../../../cli/demo/scenarios/scenario';
import { tellScenario } from '../../../cli/demo/scenarios/tell';
import { Stages } from '../../../cli/demo/stages';
import { main } from '../../../cli/program';
import { fakeIo } from '../fake-io';
import { DemoWorld, MODEL } from './world';

jest.mock('../../../cli/demo/deployed', () => ({
  ...jest.requireActual<object>('../../../cli/demo/deployed'),
  deploy: jest.fn(),
  checkPermissions: async () => undefined,
}));

const names = [...SCENARIO_NAMES];

test.each(names)('%s: the app has its variant, and the help a sentence about it', (name) => {
  expect(() => optionsOf(name, new Stack())).not.toThrow();
  expect(findScenario(name)).toMatchObject({ name });
  expect(scenarioHelp()).toMatch(new RegExp(`^  ${name} +\\S.{40}`, 'm'));
});

test('without a scenario the app is as it is; an unknown one is refused with those that there are', async () => {
  expect(optionsOf(undefined, new Stack())).toEqual({});
  expect(() => optionsOf('bad-weather', new Stack())).toThrow(`there is no scenario 'bad-weather': choose one of ${names.join(', ')}`);
  expect(() => findScenario('bad-weather')).toThrow('there is no scenario "bad-weather"');
  const { io, written } = fakeIo();
  expect(await main(['demo', '--scenario', 'bad-weather'], io)).toBe(2);
  expect(written.err).toContain('canary-rollback');
});

test('a story whose registry says otherwise is not told as true', async () => {
  const world = new DemoWorld().install();
  await world.promote();
  const platform = { name: 'mlops', registry: world.registry, connection: {}, model: () => ({}) };
  jest.mocked(deploy).mockResolvedValue({ engine: { endpoint: 'http://x' }, platform, outputs: {} } as unknown as Deployed);
  const outcome: Outcome = {
    checks: [check('the version serves', true, `${MODEL} v1`), check('the gate refuses', false, undefined)],
    figures: [{ name: 'share', value: 12.5, unit: '%', what: 'Requests that failed' }],
    files: [],
    requests: { sent: 8, failed: 1 },
  };
  const { io } = fakeIo();
  const scenario = { name: 'bad-candidate', tell: async () => outcome } as const;
  const { result, summary, wrong } = await tellScenario(io, new Stages(io), scenario, { onEngine: () => undefined });
  expect(wrong).toEqual(['not as told: the gate refuses (found: nothing)']);
  expect(summary).toContain('✓ the version serves\n    BikeDemand v1\n✗ the gate refuses\n    nothing\n');
  expect(summary).toContain('Requests that failed: 12.5 %\n8 requests to the endpoint, 1 failed;');
  expect(result).toMatchObject({ scenario: 'bad-candidate', champion: 1, versions: [{ version: 1, state: 'Production' }] });
  jest.restoreAllMocks();
});
