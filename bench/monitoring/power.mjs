// Share of simulated histories in which a shift of one of 20 features is found, under the budget of one false episode in 90 days. `--histories N`.
import { line } from '../line.mjs';
import { historiesAsked, PERSISTENCE, runScenarios } from './simulate.mjs';

const common = { features: 20, windowDays: 1, referenceDays: 365, liveDays: 3, histories: historiesAsked(200) };
const scenarios = [
  { ...common, name: 'independent rows', kind: 'independent', rowsPerDay: 1000, shift: 0.5, goal: 90, firstSeed: 5_000_000 },
  { ...common, name: 'independent rows', kind: 'independent', rowsPerDay: 1000, shift: 0.3, firstSeed: 6_000_000 },
  { ...common, name: 'independent rows', kind: 'independent', rowsPerDay: 300, shift: 0.5, firstSeed: 7_000_000 },
];

await runScenarios(scenarios, (scenario, outcomes) => {
  const found = outcomes.filter(({ first }) => first >= 0 && first < PERSISTENCE.breaches).length;
  const within = outcomes.filter(({ first }) => first >= 0).length;
  const more = { scenario: scenario.name, shift: scenario.shift, rows: scenario.rowsPerDay, histories: outcomes.length, goal: scenario.goal };
  line(`found in the first ${PERSISTENCE.breaches} windows`, (100 * found) / outcomes.length, '%', undefined, more);
  line(`found in the first ${scenario.liveDays} windows`, (100 * within) / outcomes.length, '%', undefined, more);
});
