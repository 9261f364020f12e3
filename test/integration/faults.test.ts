import { faultsApp } from '../faults/app';
import { runCase } from '../faults/cases';
import { Lab } from '../faults/lab';
import { FAULTS, STEPS } from '../faults/steps';
import { deploy, type Deployment } from './harness';

// One fault for each step, another one for each; `npm run faults` tries all of them.
const chosen = STEPS.map((step, index) => {
  const possible = FAULTS.filter((fault) => typeof step.faults[fault] !== 'string');
  return { step, fault: possible[index % possible.length] };
});

describe('a step that is struck by a fault leaves a record, no job and the champion as it was, and a redrive ends well', () => {
  let deployment: Deployment;
  const labs = new Map<string, Lab>();

  beforeAll(async () => {
    deployment = await deploy(faultsApp('FaultOfEachStep', 'eachstep', { standard: ['Line'], tuned: ['TunedLine'] }));
    for (const [model, name] of [
      ['standard', 'Line'],
      ['tuned', 'TunedLine'],
    ]) {
      const lab = await Lab.of('eachstep', name);
      expect(await lab.ended(await lab.start())).toMatchObject({ status: 'FINISHED', outcome: 'promoted' });
      labs.set(model, lab);
    }
  }, 240_000);

  afterAll(() => deployment?.destroy(), 120_000);

  test.each(chosen.map((one) => [one.step.state, one.fault, one] as const))(
    '%s: %s',
    async (_, __, one) => {
      const { passed, evidence } = await runCase(labs.get(one.step.model) as Lab, one);
      expect({ passed, evidence }).toMatchObject({ passed: true });
    },
    180_000,
  );
});
