// False episodes in simulated histories of 90 days without drift, each with a reference of its own, beside what the product states. `--histories N`.
import { line } from '../line.mjs';
import { FALSE_ALARMS, historiesAsked, runScenarios } from './simulate.mjs';

const histories = historiesAsked(1000);
const common = { features: 20, referenceDays: 365, liveDays: 90, histories };
// Few enough rows that distances pass the least one that counts by chance alone: with many rows nothing ever alarms.
const scenarios = [
  { ...common, name: 'independent rows, daily windows', kind: 'independent', windowDays: 1, rowsPerDay: 60, allRules: true, firstSeed: 1_000_000 },
  { ...common, name: 'hourly AR(1) 0.97, daily windows', kind: 'dependent', windowDays: 1, rowsPerDay: 24, allRules: true, firstSeed: 2_000_000 },
  { ...common, name: 'hourly AR(1) 0.97, weekly windows', kind: 'dependent', windowDays: 7, rowsPerDay: 24, firstSeed: 3_000_000 },
  {
    ...common,
    name: 'hourly AR(1) 0.97, daily windows, last 120 days',
    kind: 'dependent',
    windowDays: 1,
    rowsPerDay: 24,
    lastDays: 120,
    histories: Math.ceil(histories / 4),
    firstSeed: 4_000_000,
  },
];

/** Mean and its upper 95 % bound. */
const summary = (values) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, upper: mean + 1.96 * Math.sqrt(variance / values.length) };
};

const rounded = (value) => Math.round(value * 1000) / 1000;

/** `stated`: expected episodes in the days of a history. */
const print = (scenario, rules, stated, values) => {
  const { mean, upper } = summary(values);
  const more = { scenario: scenario.name, rules, histories: values.length, mean: rounded(mean), stated: rounded(stated) };
  line('false episodes, upper 95 % bound', upper, 'per history', rounded(1.1 * stated), more);
};

await runScenarios(scenarios, (scenario, outcomes) => {
  const stated = outcomes[0].stated;
  print(scenario, 'drift', stated, outcomes.map(({ drift }) => drift));
  if (scenario.allRules) {
    const { shares, episodes } = FALSE_ALARMS;
    print(scenario, 'quality', shares.quality * episodes, outcomes.map(({ quality }) => quality));
    print(scenario, 'groups', shares.groups * episodes, outcomes.map(({ groups }) => groups));
    const all = outcomes.map(({ drift, quality, groups }) => drift + quality + groups);
    print(scenario, 'all', stated + (shares.quality + shares.groups) * episodes, all);
  }
});
