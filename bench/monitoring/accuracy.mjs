/**
 * Stated and achieved alarms of this engine beside the defaults of Evidently, whylogs and NannyML, on the same simulated histories and on the
 * bike data; then the promise itself on many more histories. Prints one JSON line per figure; `--write` also puts the tables into
 * docs/monitoring-accuracy.md. Takes about 20 minutes of CPU time; `--histories` and `--simulations` shrink it.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { judgeSet } from './accuracy-own.mjs';
import { writeSets } from './accuracy-sets.mjs';
import { pythonOf, root, script } from './environments.mjs';

const PEERS = ['evidently', 'whylogs', 'nannyml'];
const OWN = 'cdk-mlops, 1 episode in 90 days';
const SHIFT = 0.5;
const DOCUMENT = path.join(root, 'docs/monitoring-accuracy.md');

const { values: options } = parseArgs({
  options: {
    histories: { type: 'string', default: '4' },
    simulations: { type: 'string', default: '1000' },
    write: { type: 'boolean', default: false },
  },
});

const progress = (line) => process.stderr.write(`${line}\n`);

const outputOf = (command, args) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.once('close', (code) => (code === 0 ? resolve(out) : reject(new Error(`${command} ${args.join(' ')} ended with ${code}`))));
  });

const linesOf = (text) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

/** Runs of alarms; a pause of fewer than three windows does not end one. */
const episodesOf = (flags) => {
  let [episodes, quiet] = [0, 3];
  for (const flag of flags) {
    if (flag && quiet >= 3) episodes += 1;
    quiet = flag ? 0 : quiet + 1;
  }
  return episodes;
};

const summarize = (judged, sets) => {
  const byName = new Map(sets.map((set) => [set.name, set]));
  const groups = new Map();
  for (const { rule, set, flags } of judged) {
    const { group, daysPerWindow } = byName.get(set);
    const key = JSON.stringify({ rule, ...group });
    const sum = groups.get(key) ?? { rule, ...group, histories: 0, windows: 0, alarmed: 0, episodes: 0, days: 0, firstMonth: 0 };
    sum.histories += 1;
    sum.windows += flags.length;
    sum.alarmed += flags.filter(Boolean).length;
    sum.episodes += episodesOf(flags);
    sum.days += flags.length * daysPerWindow;
    sum.firstMonth += flags.slice(0, 4).some(Boolean) ? 1 : 0;
    groups.set(key, sum);
  }
  return [...groups.values()].map(({ alarmed, episodes, days, firstMonth, ...rest }) => ({
    ...rest,
    alarmedShare: alarmed / rest.windows,
    alarmedPer90Days: (alarmed / days) * 90,
    episodesPer90Days: (episodes / days) * 90,
    foundInFourWindows: firstMonth / rest.histories,
  }));
};

const percent = (share) => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const tables = (figures) => {
  const rules = [...new Set(figures.map(({ rule }) => rule))].sort((a, b) => Number(b === OWN) - Number(a === OWN));
  const find = (rule, wanted) =>
    figures.find((figure) => figure.rule === rule && Object.entries(wanted).every(([key, value]) => figure[key] === value));
  const cell = (figure) => (figure ? `${percent(figure.alarmedShare)} (${figure.episodesPer90Days.toFixed(1)})` : '–');
  const simulated = table(
    ['rule', 'independent rows, by day', 'by week', 'dependent rows, by day', 'by week', '0.5 σ seen in four weeks, independent', 'dependent'],
    rules.map((rule) => [
      rule,
      ...['independent', 'dependent'].flatMap((kind) => ['day', 'week'].map((window) => cell(find(rule, { kind, window, shift: 0 })))),
      ...['independent', 'dependent'].map((kind) => percent(find(rule, { kind, window: 'week', shift: SHIFT })?.foundInFourWindows ?? 0)),
    ]),
  );
  const bikes = [...new Set(figures.map(({ bike }) => bike).filter(Boolean))];
  const real = table(
    ['rule', ...bikes],
    rules.map((rule) => [rule, ...bikes.map((bike) => cell(find(rule, { bike })))]),
  );
  return { simulated, real };
};

const promiseTable = (lines) =>
  table(
    ['histories without drift', 'rules', 'stated episodes in 90 days', 'achieved, mean', 'upper 95 % bound'],
    lines.map(({ scenario, rules, histories, stated, mean, value }) => [`${scenario} (${histories})`, rules, stated, mean, value]),
  );

const powerTable = (lines) =>
  table(
    ['shift of one of 20 features', 'rows a window', 'histories', 'missed in the first', 'share'],
    lines.map(({ shift, rows, histories, figure, value }) => {
      const windows = figure.replace('missed in the first ', '');
      return [`${shift} σ`, rows, histories, windows, `${value} %`];
    }),
  );

/** A bench of this folder, as a person would run it. */
const bench = async (name, histories) => {
  const lines = linesOf(await outputOf(process.execPath, [path.join(root, 'bench/monitoring', name), '--histories', String(histories)]));
  for (const figure of lines) process.stdout.write(`${JSON.stringify(figure)}\n`);
  return lines;
};

const replaceBetween = (text, name, content) => {
  const [open, close] = [`<!-- ${name}: made by bench/monitoring/accuracy.mjs -->`, `<!-- end of ${name} -->`];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`${DOCUMENT} has no place for ${name}: it needs "${open}" and "${close}"`);
  return `${text.slice(0, start + open.length)}\n${content}\n${text.slice(end)}`;
};

const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-accuracy-'));
try {
  const sets = writeSets(root, directory, { histories: Number(options.histories), shift: SHIFT });
  progress(`${sets.length} sets written`);
  const peers = PEERS.map(async (peer) => {
    const judged = linesOf(await outputOf(await pythonOf(peer, progress), [script(`alarms_${peer}.py`), directory]));
    progress(`${peer} done`);
    return judged;
  });
  const own = sets.map((set) => ({ rule: OWN, set: set.name, flags: judgeSet(set, directory).flags }));
  progress('own engine done');
  const figures = summarize([...own, ...(await Promise.all(peers)).flat()], sets);
  for (const figure of figures) process.stdout.write(`${JSON.stringify(figure)}\n`);
  const simulations = Number(options.simulations);
  const promise = await bench('false-alarms.mjs', simulations);
  const power = await bench('power.mjs', Math.ceil(simulations / 5));
  if (options.write) {
    const { simulated, real } = tables(figures);
    const made = { promise: promiseTable(promise), power: powerTable(power), simulated, bikes: real };
    const text = Object.entries(made).reduce((all, [name, content]) => replaceBetween(all, name, content), readFileSync(DOCUMENT, 'utf8'));
    writeFileSync(DOCUMENT, text);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
