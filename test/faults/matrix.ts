import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { deploy, type Deployment, projectRoot } from '../integration/harness';
import { faultsApp } from './app';
import { type Case, casesOf, type Outcome, runCase } from './cases';
import { Lab } from './lab';
import { pageOf } from './page';
import { STEPS } from './steps';

/** Side by side, each lane with a model of its own. */
const LANES = { standard: ['FirstLine', 'SecondLine'], tuned: ['TunedLine'] };
const PAGE = path.join(projectRoot, 'docs', 'fault-matrix.md');

const wanted = (process.env.MLOPS_FAULT_STATES ?? '').split(',').filter(Boolean);
const unknown = wanted.filter((state) => !STEPS.some((step) => step.state === state));
if (unknown.length > 0) throw new Error(`no step is called ${unknown.join(', ')}: choose from ${STEPS.map(({ state }) => state).join(', ')}`);

/** Past jest's own reporting, which tells nothing until the end. */
const say = (line: string): void => void process.stderr.write(`${line}\n`);

describe('the fault matrix', () => {
  let deployment: Deployment;

  beforeAll(async () => {
    deployment = await deploy(faultsApp('Faults', 'faults', LANES));
  }, 180_000);

  afterAll(() => deployment?.destroy(), 120_000);

  test(
    'each step under each fault ends recorded, with nothing left behind and the champion as it was, and goes on once the fault is gone',
    async () => {
      const cases = casesOf(STEPS.filter(({ state }) => wanted.length === 0 || wanted.includes(state)));
      const outcomes = new Map<Case, Outcome>();
      const work = async (name: string, queue: Case[]): Promise<void> => {
        if (queue.length === 0) return;
        const lab = await Lab.of('faults', name);
        expect(await lab.ended(await lab.start())).toMatchObject({ status: 'FINISHED', outcome: 'promoted' });
        for (let next = queue.shift(); next; next = queue.shift()) {
          const outcome = await runCase(lab, next);
          outcomes.set(next, outcome);
          say(`${outcome.passed ? '✓' : '✗'} ${next.step.state}, ${next.fault} (${outcome.seconds} s): ${outcome.evidence}`);
        }
      };
      const lanes = (['standard', 'tuned'] as const).flatMap((model) => {
        const queue = cases.filter(({ step }) => step.model === model);
        return LANES[model].map((name) => work(name, queue));
      });
      await Promise.all(lanes);
      const ordered = cases.map((one) => outcomes.get(one) as Outcome);
      // Only the whole makes a page; what does not hold stands in it too.
      if (wanted.length === 0) writeFileSync(PAGE, pageOf(ordered));
      const broken = ordered.filter(({ passed }) => !passed).map(({ step, fault, evidence }) => `${step.state}, ${fault}: ${evidence}`);
      expect(broken).toEqual([]);
    },
    60 * 60_000,
  );
});
