import type { Outcome } from './cases';
import { FAULTS, STEPS } from './steps';

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** docs/fault-matrix.md: first at a glance, then each case with what was seen. */
export const pageOf = (outcomes: readonly Outcome[]): string => {
  const struck = outcomes.filter(({ step, fault }) => typeof step.faults[fault] !== 'string');
  const passed = struck.filter((outcome) => outcome.passed).length;
  const mark = (state: string, fault: string): string => {
    const outcome = outcomes.find((one) => one.step.state === state && one.fault === fault);
    if (!outcome) return ' ';
    if (typeof outcome.step.faults[outcome.fault] === 'string') return '–';
    return outcome.passed ? '✓' : '✗';
  };
  return [
    '# Fault matrix',
    '',
    `Written by \`npm run faults\`: ${passed} of ${struck.length} cases as they should be; – stands where a fault cannot strike.`,
    '',
    'Each case is a run of the standard pipeline on the local engine whose step is struck by the fault. It holds where the run ends recorded with',
    'step and cause, leaves no job running and no endpoint half made, and the champion as it was; and where the run, redriven once the fault is',
    'gone, ends with its version serving. A fault that the step’s own retries get over must not be seen in the outcome at all. "Process killed"',
    'means for a function that it dies when its work is done and nobody was told yet: the redrive does all of it again.',
    '',
    `| Step | ${FAULTS.join(' | ')} |`,
    `|---|${FAULTS.map(() => ':-:').join('|')}|`,
    ...STEPS.map(({ state, what }) => `| ${state}: ${what} | ${FAULTS.map((fault) => mark(state, fault)).join(' | ')} |`),
    '',
    '## What was seen',
    '',
    '| Step | Fault | | Evidence |',
    '|---|---|:-:|---|',
    ...outcomes.map(({ step, fault, evidence }) => `| ${step.state} | ${fault} | ${mark(step.state, fault)} | ${cell(evidence)} |`),
    '',
  ].join('\n');
};
