/** Stories of what may go wrong, each with the sentence that the command's help tells. */
export const SCENARIOS = {
  'bad-candidate': 'counts that are eight hours off make a worse model: the gate refuses it, with its reasons in gate.html',
  'canary-rollback': 'a model passes the gate and fails in traffic: an alarm takes the canary back, and what clients saw is counted',
  'manual-approval': 'a version waits for a person, is refused to a caller who may not decide, and is approved by a session that AWS knows',
  'spot-interruption': 'a training on spare capacity loses its machine and goes on from its checkpoint, for less than the price on demand',
} as const;

export type ScenarioName = keyof typeof SCENARIOS;

export const SCENARIO_NAMES = Object.keys(SCENARIOS) as ScenarioName[];

/** What `--help` tells of them. */
export const scenarioHelp = (): string => {
  const width = Math.max(...SCENARIO_NAMES.map((name) => name.length));
  return ['', 'Scenarios:', ...SCENARIO_NAMES.map((name) => `  ${name.padEnd(width)}  ${SCENARIOS[name]}`)].join('\n');
};
