import type { Case, Outcome } from './cases';
import { strikes } from './cases';
import type { Scenario } from './scenarios';
import { FAULTS, STEPS } from './steps';

/** How a scenario went. */
export type Told = Pick<Outcome, 'passed' | 'evidence' | 'seconds'> & { readonly scenario: Scenario };

const cell = (text: string): string => text.replaceAll('|', '\\|');
const verdict = (passed: boolean): string => (passed ? '✓' : '✗');
const counted = (all: readonly { readonly passed: boolean }[]): string => `${all.filter(({ passed }) => passed).length} of ${all.length}`;

/** docs/fault-matrix.md: first at a glance, then each case with what was seen. */
export const pageOf = (outcomes: readonly Outcome[], told: readonly Told[]): string => {
  const struck = outcomes.filter((outcome) => strikes(outcome));
  const mark = (outcome: Outcome | undefined): string => (outcome === undefined ? ' ' : strikes(outcome) ? verdict(outcome.passed) : '–');
  const at = ({ step, fault }: Case): Outcome | undefined => outcomes.find((one) => one.step === step && one.fault === fault);
  return [
    '# Fault matrix',
    '',
    `Written by \`npm run faults\`: ${counted(struck)} cases and ${counted(told)} scenarios as they should be; – stands where a fault cannot strike.`,
    '',
    'Each case is a run on the local engine whose step is struck by the fault. It holds where the run ends recorded with step and cause, leaves no',
    'job running and no endpoint half made, and the champion as it was; and where the run, redriven once the fault is gone, ends with its version',
    'serving. A fault that the step’s own retries get over must not be seen in the outcome at all. "Process killed" means for a function that it',
    'dies when its work is done and nobody was told yet: the redrive does all of it again.',
    '',
    '- **CreateEndpoint, UpdateEndpoint**: what becomes of the deployment that a release asks for. "Fails once" and "throttled" outlast the attempts',
    '  of the client within the function, "fails for good" is a deployment that fails by itself, "times out" one whose containers never answer,',
    '  "process killed" their death; a run is stopped by hand while the deployment is under way. Each case of CreateEndpoint is the first run of a',
    '  model of its own, and after it no endpoint is left. In the rows "refused" SageMaker does not take the request, or is short of capacity.',
    '- **RequestApproval, Decide**: a person approves as soon as asked. A call that fails is made again; the decision stands in the history once.',
    '- **Of a rollback**: the pointer moves first, traffic after it. From MovePointer on the version that serves again is the champion.',
    '',
    `| Step | ${FAULTS.join(' | ')} |`,
    `|---|${FAULTS.map(() => ':-:').join('|')}|`,
    ...STEPS.map((step) => `| ${step.name}: ${step.what} | ${FAULTS.map((fault) => mark(at({ step, fault }))).join(' | ')} |`),
    '',
    '## The machine as a whole',
    '',
    '| Scenario | | Evidence |',
    '|---|:-:|---|',
    ...told.map(({ scenario, passed, evidence }) => `| ${scenario.name}: ${scenario.what} | ${verdict(passed)} | ${cell(evidence)} |`),
    '',
    '## What was seen',
    '',
    '| Step | Fault | | Evidence |',
    '|---|---|:-:|---|',
    ...outcomes.map((outcome) => `| ${outcome.step.name} | ${outcome.fault} | ${mark(outcome)} | ${cell(outcome.evidence)} |`),
    '',
  ].join('\n');
};
