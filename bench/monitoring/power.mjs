// Share of simulated histories in which a shift of one of 20 features is missed, under the budget of one false episode in 90 days. `--histories N`.
import { line } from '../line.mjs';
import { historiesAsked, PERSISTENCE, runScenarios } from './simulate.mjs';

const common = { features: 20, windowDays: 1, referenceDays: 365, liveDays: 3, histories: historiesAsked(200) };
const scenarios = [
  { ...common, name: 'independent rows', kind: 'independent', rowsPerDay: 1000, shift: 0.5, mostMissed: 10, firstSeed: 5_000_000 },
  { ...common, name: 'independent rows', kind: 'independent', rowsPerDay: 1000, shift: 0.25, firstSeed: 6_000_000 },
  { ...common, name: 'independent rows', kind: 'independent', rowsPerDay: 100, shift: 0.5, firstSeed: 7_000_000 },
];

await runScenarios(scenarios, (scenario, outcomes) => {
  const { name, shift, rowsPerDay, mostMissed } = scenario;
  const missed = (windows) => (100 * outcomes.filter(({ first }) => first < 0 || first >= windows).length) / outcomes.length;
  const more = { scenario: name, shift, rows: rowsPerDay, histories: outcomes.length };
  // One window alone cannot alarm: the persistence rule wants a second.
  line(`missed in the first ${PERSISTENCE.breaches} windows`, missed(PERSISTENCE.breaches), '%', mostMissed, more);
  line(`missed in the first ${scenario.liveDays} windows`, missed(scenario.liveDays), '%', mostMissed, more);
});
