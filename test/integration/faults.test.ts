import { faultsApp } from '../faults/app';
import { type Case, casesOf, type Outcome, runCase, strikes } from '../faults/cases';
import { Lab } from '../faults/lab';
import { STEPS } from '../faults/steps';
import { deploy, type Deployment } from './harness';

// One fault for each step, another one for each; `npm run faults` tries all of them, and the steps that occur in a second place.
const chosen = STEPS.filter(({ name }) => !name.includes(' ')).map((step, index): Case => {
  const possible = casesOf([step]).filter(strikes);
  return possible[index % possible.length];
});
const of = (lane: string): Case[] => chosen.filter(({ step }) => step.lane === lane);

/** Side by side; those of one kind share its cases. */
const MODELS = { standard: ['FirstLine', 'SecondLine'], tuned: ['TunedLine'], asked: ['AskedLine'] };
const FRESH = of('fresh').map((_, index) => `NewLine${index + 1}`);
const PLATFORM = 'eachstep';

describe('a step that is struck by a fault leaves a record, no job and the champion as it was, and a redrive ends well', () => {
  let deployment: Deployment;
  const outcomes = new Map<Case, Outcome>();

  const lane = async (name: string, cases: Case[]): Promise<void> => {
    const lab = await Lab.of(PLATFORM, name);
    if (cases[0]?.step.lane !== 'fresh') {
      const { status, outcome, error } = await lab.ended(await lab.start());
      expect({ status, outcome, error }).toEqual({ status: 'FINISHED', outcome: 'promoted', error: undefined });
    }
    for (let next = cases.shift(); next; next = cases.shift()) {
      // A rollback needs a version to go back to.
      if (next.step.run === 'rollback' && (await lab.served()) < 2) await lab.ended(await lab.start());
      outcomes.set(next, await runCase(lab, next));
    }
  };

  beforeAll(async () => {
    deployment = await deploy(faultsApp('FaultOfEachStep', PLATFORM, { ...MODELS, standard: [...MODELS.standard, ...FRESH] }));
    const kinds = (['standard', 'tuned', 'asked'] as const).flatMap((kind) => {
      const cases = of(kind);
      return MODELS[kind].map((name) => lane(name, cases));
    });
    const firsts = of('fresh');
    await Promise.all([...kinds, ...FRESH.map((name, index) => lane(name, [firsts[index]]))]);
  }, 600_000);

  afterAll(() => deployment?.destroy(), 120_000);

  test.each(chosen.map((one) => [one.step.name, one.fault, one] as const))('%s: %s', (_, __, one) => {
    const { passed, evidence } = outcomes.get(one) as Outcome;
    expect({ passed, evidence }).toMatchObject({ passed: true });
  });
});
