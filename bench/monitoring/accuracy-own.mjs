import { readFileSync } from 'node:fs';
import path from 'node:path';
import { bundled } from './environments.mjs';

const engine = bundled(`
  export { calibrate, judgedScore } from './lambda/monitoring/drift/calibrate';
  export { Profiler } from './lambda/monitoring/profile/profile';
  export { Sampler, shapesOf } from './lambda/monitoring/profile/shapes';
  export { toBlockCells } from './lambda/monitoring/profile/cells';
`);

const DAY = 86_400;

/** The whole drift budget of one episode in 90 days, as if the model had no other statistical rule. */
const FALSE_ALARMS = { episodes: 1, days: 90, shares: { drift: 1, quality: 0, groups: 0 } };
const PERSISTENCE = { breaches: 2, windows: 3 };

const rowsOf = (set, directory) => {
  const data = readFileSync(path.join(directory, set.file));
  const values = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  const width = set.features.length;
  return (row) =>
    set.features.map(({ kind }, column) => (kind === 'categorical' ? `c${values[row * width + column]}` : values[row * width + column]));
};

/** Windows flagged in one set, in order, and the sentence of what its reference can promise. */
export const judgeSet = (set, directory) => {
  const row = rowsOf(set, directory);
  const sampler = new engine.Sampler(set.features.map(({ name }) => name));
  for (let index = 0; index < set.referenceRows; index += 1) sampler.cells(row(index));
  const features = engine
    .shapesOf(sampler)
    .filter((column) => 'shape' in column)
    .map(({ name, shape }) => ({ name, shape, role: 'feature', column: set.features.findIndex((feature) => feature.name === name) }));
  let next = 0;
  const blockOf = (rows, index) => {
    const profiler = new engine.Profiler(features);
    for (const end = next + rows; next < end; next += 1) profiler.cells(row(next));
    const profile = profiler.toProfile();
    const cells = new Map(features.map(({ name, shape }) => [name, engine.toBlockCells(shape, profile.features.get(name))]));
    return { start: index * set.daysPerWindow * DAY * 1000, rows, cells };
  };
  const reference = set.referenceBlocks.map(blockOf);
  const calibration = engine.calibrate(features, reference, {
    windowSeconds: set.daysPerWindow * DAY,
    minimumRows: 20,
    persistence: PERSISTENCE,
    falseAlarms: FALSE_ALARMS,
    share: 1,
  });
  const scores = reference.slice(-PERSISTENCE.windows + 1).map((block) => calibration.score(block).score);
  const flags = set.windowRows.map((rows, index) => {
    scores.push(calibration.score(blockOf(rows, reference.length + index)).score);
    const judged = engine.judgedScore(scores, PERSISTENCE);
    return calibration.threshold !== undefined && judged > Math.max(calibration.threshold, -Number.MAX_VALUE);
  });
  return { flags, promise: calibration.promise };
};
