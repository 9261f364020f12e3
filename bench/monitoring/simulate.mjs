// Runs simulated histories through the product's own calibration, judgements and episodes, on worker threads.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import { generator, history } from './histories.mjs';

const require = createRequire(import.meta.url);
const DAY = 86_400_000;
export const PERSISTENCE = { breaches: 2, windows: 3 };
export const FALSE_ALARMS = { episodes: 1, days: 90, shares: { drift: 0.5, quality: 0.25, groups: 0.25 } };
const QUALITY_DAYS = 28;
const HOLDOUT_DAYS = 73;

const MODULES = ['drift/calibrate', 'drift/episodes', 'quality/judge', 'quality/groups', 'quality/holdout', 'quality/table'];

/** Bundles the product's modules into one file. */
const bundle = (outfile) => {
  const contents = MODULES.map((file) => `export * from './lambda/monitoring/${file}';`).join('\n');
  const stdin = { contents, resolveDir: path.resolve('.'), loader: 'ts' };
  buildSync({ stdin, outfile, bundle: true, platform: 'node', format: 'cjs', tsconfigRaw: '{}', logLevel: 'error' });
};

const optionsOf = (windowDays) => ({
  windowSeconds: (windowDays * DAY) / 1000,
  minimumRows: 1,
  persistence: PERSISTENCE,
  falseAlarms: FALSE_ALARMS,
  share: 1,
});

/** The windows' verdicts on drift: against the whole reference, or against the last days before each window. */
const driftAlarms = (product, scenario, { features, reference, live }) => {
  const options = optionsOf(scenario.windowDays);
  const fixed = scenario.lastDays === undefined ? product.calibrate(features, reference, options) : undefined;
  const all = [...reference, ...live];
  let episodes = fixed?.promise.episodes;
  const alarms = live.map((window, index) => {
    const position = reference.length + index;
    const together = all.slice(Math.max(reference.length, position - PERSISTENCE.windows + 1), position + 1);
    const before = (scenario.lastDays ?? 0) / scenario.windowDays;
    const from = position - PERSISTENCE.windows + 1;
    const calibration = fixed ?? product.calibrate(features, all.slice(from - before, from), options);
    episodes = calibration.promise.episodes;
    const judged = product.judgedScore(together.map((each) => calibration.score(each).score), PERSISTENCE);
    return judged > calibration.threshold;
  });
  return { alarms, stated: episodes };
};

/** Hourly errors of a model that never gets worse, and two groups that it serves equally well, in the days of a holdout and live. */
const errorsOf = ({ kind, seed, liveDays }) => {
  const { normal, uniform } = generator(seed ^ 0x5bd1e995);
  const hours = (HOLDOUT_DAYS + liveDays) * 24;
  const keep = kind === 'dependent' ? 0.97 : 0;
  let state = normal();
  return Array.from({ length: hours }, (_, hour) => {
    state = keep * state + Math.sqrt(1 - keep * keep) * normal();
    const time = hour * 3_600_000;
    return { time, truth: 100 + 10 * state, prediction: 100, groups: [uniform() < 0.4 ? 'a' : 'b'] };
  });
};

/** The daily verdicts of one rule on quality and one on groups, both at the very edge: no tolerance, and no gap accepted. */
const qualityAlarms = (product, scenario) => {
  const rows = errorsOf(scenario);
  const spec = {
    task: { kind: 'REGRESSION', target: 'y', timeColumn: 'time' },
    windowSeconds: (scenario.windowDays * DAY) / 1000,
    falseAlarms: FALSE_ALARMS,
    minimumRows: 100,
    qualityRules: [{ metric: 'rmse', higherIsBetter: false, tolerance: 0 }],
    groupColumns: ['group'],
    groupRules: [{ column: 'group', metric: 'mae', bound: 0 }],
    groupMinimum: { rows: 30, perClass: 10 },
  };
  const baseline = product.holdoutQuality(spec, rows.slice(0, HOLDOUT_DAYS * 24));
  return Array.from({ length: scenario.liveDays }, (_, day) => {
    const to = HOLDOUT_DAYS + day + 1;
    const from = Math.max(HOLDOUT_DAYS, to - QUALITY_DAYS);
    const table = new product.QualityTable(spec.task, spec.groupColumns);
    for (const { time, prediction, truth, groups } of rows.slice(from * 24, to * 24)) table.add(Math.floor(time / DAY), prediction, truth, groups);
    const quality = product.judgeQuality({ spec, table, from: from * DAY, to: to * DAY, baseline });
    const groups = product.judgeGroups({ spec, table });
    const said = (verdict) => ({ alarming: verdict === 'degraded', judged: verdict === 'ok' || verdict === 'degraded' });
    return [
      { rule: 'quality', key: 'rmse', ...said(quality.verdict) },
      { rule: 'groups', key: 'group:mae', ...said(groups.verdict) },
    ];
  });
};

/** Episodes of each rule in one history, the first alarming window, and the promise that was made. */
const simulate = (product, scenario) => {
  const made = history(scenario);
  const { alarms, stated } = driftAlarms(product, scenario, made);
  const daily = scenario.allRules ? qualityAlarms(product, scenario) : [];
  const counts = { drift: 0, quality: 0, groups: 0 };
  const follow = (days, start) =>
    days.reduce((open, alarmsOfDay, index) => {
      const next = product.nextEpisodes(open, alarmsOfDay, 1, start + index * DAY, { persistence: PERSISTENCE });
      for (const { rule } of next.begun) counts[rule] += 1;
      return next.open;
    }, []);
  follow(alarms.map((alarming) => [{ rule: 'drift', key: 'drift', alarming, judged: true }]), 0);
  follow(daily, 0);
  return { ...counts, windows: alarms.filter(Boolean).length, first: alarms.indexOf(true), stated };
};

if (workerData?.simulation !== undefined) {
  const product = require(workerData.simulation);
  parentPort.on('message', ({ scenario, seeds }) => parentPort.postMessage(seeds.map((seed) => simulate(product, { ...scenario, seed }))));
}

const CHUNK = 10;

/** Every scenario's histories, one after the other; `done` gets each scenario with its outcomes. */
export const runScenarios = async (scenarios, done) => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-bench-'));
  const simulation = path.join(directory, 'product.cjs');
  bundle(simulation);
  const thread = () => new Worker(new URL(import.meta.url), { workerData: { simulation } });
  const threads = Array.from({ length: Math.min(2, os.availableParallelism()) }, thread);
  try {
    for (const scenario of scenarios) {
      const seeds = Array.from({ length: scenario.histories }, (_, index) => scenario.firstSeed + index);
      const chunks = Array.from({ length: Math.ceil(seeds.length / CHUNK) }, (_, index) => seeds.slice(index * CHUNK, (index + 1) * CHUNK));
      const outcomes = [];
      const work = (worker) =>
        new Promise((resolve, reject) => {
          const next = () => (chunks.length === 0 ? resolve() : worker.postMessage({ scenario, seeds: chunks.shift() }));
          worker.removeAllListeners();
          worker.once('error', reject);
          worker.on('message', (found) => {
            outcomes.push(...found);
            next();
          });
          next();
        });
      await Promise.all(threads.map(work));
      done(scenario, outcomes);
    }
  } finally {
    await Promise.all(threads.map((worker) => worker.terminate()));
    rmSync(directory, { recursive: true, force: true });
  }
};

/** Value of `--histories N`. */
export const historiesAsked = (fallback) => {
  const at = process.argv.indexOf('--histories');
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
