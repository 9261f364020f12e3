import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { deploy, type Deployment, projectRoot } from '../integration/harness';
import { faultsApp } from './app';
import { type Case, casesOf, type Outcome, runCase, strikes, timed } from './cases';
import { Lab } from './lab';
import { pageOf, type Told } from './page';
import { type Scenario, SCENARIOS } from './scenarios';
import { STEPS } from './steps';

/** Side by side, each lane with a model of its own. */
const LANES = { standard: ['FirstLine', 'SecondLine'], tuned: ['TunedLine'], asked: ['AskedLine'], expiring: ['ShortLine'], instances: ['BigLine'] };
const PAGE = path.join(projectRoot, 'docs', 'fault-matrix.md');

const names = [...STEPS, ...SCENARIOS].map(({ name }) => name);
const wanted = (process.env.MLOPS_FAULT_STATES ?? '').split(',').filter(Boolean);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) throw new Error(`no row is called ${unknown.join(', ')}: choose from ${names.join(', ')}`);
const isWanted = ({ name }: { readonly name: string }): boolean => wanted.length === 0 || wanted.includes(name);

const cases = casesOf(STEPS.filter(isWanted));
const scenarios = SCENARIOS.filter(isWanted);
const firsts = cases.filter((one) => one.step.lane === 'fresh' && strikes(one));
/** A model can have one first deployment; a stack holds at most 500 resources. */
const MODELS_OF_A_STACK = 4;
const fresh = firsts.map((_, index) => ({ platform: `firsts${Math.floor(index / MODELS_OF_A_STACK) + 1}`, name: `NewLine${index + 1}` }));

/** Past jest's own reporting, which tells nothing until the end. */
const say = (passed: boolean, line: string): void => void process.stderr.write(`${passed ? '✓' : '✗'} ${line}\n`);

describe('the fault matrix', () => {
  let deployment: Deployment;

  beforeAll(async () => {
    deployment = await deploy((app) => {
      faultsApp('Faults', 'faults', LANES)(app);
      for (const platform of new Set(fresh.map((one) => one.platform))) {
        const standard = fresh.filter((one) => one.platform === platform).map(({ name }) => name);
        faultsApp(`Faults${platform}`, platform, { standard })(app);
      }
    });
  }, 300_000);

  afterAll(() => deployment?.destroy(), 240_000);

  test(
    'each step under each fault ends recorded, with nothing left behind and the champion as it was, and goes on once the fault is gone',
    async () => {
      const outcomes = new Map<Case, Outcome>();
      const told = new Map<Scenario, Told>();
      const strike = async (lab: Lab, one: Case): Promise<void> => {
        const outcome = await runCase(lab, one);
        outcomes.set(one, outcome);
        say(outcome.passed, `${one.step.name}, ${one.fault} (${outcome.seconds} s): ${outcome.evidence}`);
      };
      const tell = async (lab: Lab, scenario: Scenario): Promise<void> => {
        const outcome = await timed(() => scenario.prove(lab));
        told.set(scenario, { scenario, ...outcome });
        say(outcome.passed, `${scenario.name} (${outcome.seconds} s): ${outcome.evidence}`);
      };
      const open = async (name: string): Promise<Lab> => {
        const lab = await Lab.of('faults', name);
        const { status, outcome, error } = await lab.ended(await lab.start());
        // With the error, which an object that is matched in part does not show.
        expect({ status, outcome, error }).toEqual({ status: 'FINISHED', outcome: 'promoted', error: undefined });
        return lab;
      };
      /** Models of one kind share the work on them. */
      const lane = async (name: string, work: Case[], stories: Scenario[], isNew = false): Promise<void> => {
        if (work.length + stories.length === 0) return;
        const lab = isNew ? await Lab.of('faults', name) : await open(name);
        for (let next = work.shift(); next; next = work.shift()) {
          // A rollback needs a version to go back to.
          if (next.step.run === 'rollback' && (await lab.served()) < 2) await lab.ended(await lab.start());
          await strike(lab, next);
        }
        for (let next = stories.shift(); next; next = stories.shift()) await tell(lab, next);
      };
      const of = (kind: string): [Case[], Scenario[]] => [
        cases.filter((one) => one.step.lane === kind && strikes(one)),
        scenarios.filter((one) => one.lane === kind),
      ];
      const kinds = (['standard', 'tuned', 'asked', 'instances'] as const).flatMap((kind) => {
        const [work, stories] = of(kind);
        return LANES[kind].map((name) => lane(name, work, stories));
      });
      const first = async (): Promise<void> => {
        for (const [index, one] of firsts.entries()) await strike(await Lab.of(fresh[index].platform, fresh[index].name), one);
      };
      await Promise.all([...kinds, lane(LANES.expiring[0], ...of('expiring'), true), first()]);
      for (const one of cases) if (!strikes(one)) outcomes.set(one, await runCase(undefined as never, one));
      const ordered = cases.map((one) => outcomes.get(one) as Outcome);
      const stories = scenarios.map((one) => told.get(one) as Told);
      // Only the whole makes a page; what does not hold stands in it too.
      if (wanted.length === 0) writeFileSync(PAGE, pageOf(ordered, stories));
      const broken = [
        ...ordered.filter(({ passed }) => !passed).map(({ step, fault, evidence }) => `${step.name}, ${fault}: ${evidence}`),
        ...stories.filter(({ passed }) => !passed).map(({ scenario, evidence }) => `${scenario.name}: ${evidence}`),
      ];
      expect(broken).toEqual([]);
    },
    60 * 60_000,
  );
});
