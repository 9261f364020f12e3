// Draws the pipeline's state machine as it is deployed: synthesizes the app, reads the definition out of its template and lays it out with Graphviz.
// Writes docs/images/pipeline.svg; with --check it writes nothing and fails when the picture is not the one of the definition.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { instance } from '@viz-js/viz';
import { definitionsOf } from './checks/state-machines.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const PICTURE = path.join(root, 'docs', 'images', 'pipeline.svg');
/** A state that only the training pipeline has. */
const MARK = 'PrepareData';
const FONT = 'Helvetica,Arial,sans-serif';
const FILL = { function: '#e8f1fb', sagemaker: '#eaf6ec', people: '#fdf3dc', choice: '#ffffff', other: '#f3f3f3' };

const definition = () => {
  const { app, context = {} } = JSON.parse(readFileSync(path.join(root, 'cdk.json'), 'utf8'));
  const out = mkdtempSync(path.join(os.tmpdir(), 'mlops-picture-'));
  try {
    const env = { ...process.env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify(context), CDK_VALIDATION: 'false' };
    const { status, stderr } = spawnSync(app, { shell: true, cwd: root, encoding: 'utf8', env });
    if (status !== 0) throw new Error(`${app} does not synthesize: ${stderr}`);
    const templates = readdirSync(out).filter((name) => name.endsWith('.template.json'));
    const found = templates.flatMap((name) => definitionsOf(path.join(out, name))).find(({ States }) => States[MARK]);
    if (!found) throw new Error(`no state machine of the app has a state ${MARK}`);
    return found;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
};

const kindOf = ({ Type, Resource = '' }) => {
  if (Type === 'Choice') return 'choice';
  if (Type !== 'Task') return 'other';
  if (Resource.includes('waitForTaskToken')) return 'people';
  return Resource.includes(':sagemaker:') ? 'sagemaker' : 'function';
};

/** What does the work of a state, in the words of the reader. */
const doneBy = ({ Type, Resource = '', Seconds }) => {
  if (Type === 'Wait') return `${Seconds} s`;
  if (Type !== 'Task') return undefined;
  const [, action] = /:sagemaker:(\w+)/.exec(Resource) ?? [];
  if (!action) return Resource.includes('waitForTaskToken') ? 'people' : 'function';
  return action.replace(/^(create|describe)/, '').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
};

const OPERATORS = { BooleanEquals: 'is', StringEquals: 'is', NumericEquals: 'is' };

/** A choice's rule as a short condition. */
const condition = (rule) => {
  if (rule.And) return [...new Set(rule.And.map(condition).filter(Boolean))].join(' and ');
  if (rule.Or) return rule.Or.map(condition).join(' or ');
  if (rule.Not) return `not ${condition(rule.Not)}`;
  const name = rule.Variable.replace(/^\$\./, '');
  if (rule.IsPresent !== undefined || rule.IsNull !== undefined || rule.IsString !== undefined) return rule.IsPresent === undefined ? '' : name;
  if (rule.StringMatches) return `${name} in S3`;
  const [operator, value] = Object.entries(rule).find(([key]) => key in OPERATORS) ?? ['', ''];
  return value === true ? name : `${name} ${OPERATORS[operator]} ${value}`;
};

const quoted = (text) => `"${String(text).replaceAll('"', '\\"')}"`;

/** Two ways to the same state are one arrow: the one with the shorter condition includes the other. */
const edgesOf = (state) => {
  const edges = [
    ...(state.Next ? [[state.Next, '']] : []),
    ...(state.Choices ?? []).map((rule) => [rule.Next, condition(rule)]),
    ...(state.Default ? [[state.Default, 'otherwise']] : []),
  ];
  return edges.filter(([next, label]) => !edges.some(([other, shorter]) => other === next && shorter.length < label.length));
};

const nodeOf = (name, state) => {
  const kind = kindOf(state);
  const by = doneBy(state);
  const label = by ? `<${name}<BR/><FONT POINT-SIZE="10" COLOR="#555555">${by}</FONT>>` : quoted(name);
  const shape = kind === 'choice' ? 'shape=diamond margin="0.02,0.02"' : 'shape=box';
  return `${quoted(name)} [label=${label} ${shape} style=${kind === 'choice' ? 'filled' : '"rounded,filled"'} fillcolor="${FILL[kind]}"];`;
};

/** States of a machine or a branch; a Parallel is a box around its branches, entered and left at its own node. */
const graphOf = ({ States }) =>
  Object.entries(States)
    .flatMap(([name, state]) => [
      nodeOf(name, state),
      ...edgesOf(state).map(([next, label]) => `${quoted(name)} -> ${quoted(next)} [label=${quoted(label && ` ${label} `)}];`),
      ...(state.Branches ?? []).flatMap((branch, index) => [
        `subgraph ${quoted(`cluster_${name}_${index}`)} { style=dashed; color="#999999"; label=""; ${graphOf(branch)} }`,
        `${quoted(name)} -> ${quoted(branch.StartAt)} [style=dashed];`,
      ]),
    ])
    .join('\n');

const draw = async () => {
  const machine = definition();
  const dot = `digraph pipeline {
    graph [rankdir=TB nodesep=0.35 ranksep=0.4 bgcolor=white fontname="${FONT}"];
    node [fontname="${FONT}" fontsize=12 color="#555555" margin="0.18,0.06"];
    edge [fontname="${FONT}" fontsize=10 color="#555555" arrowsize=0.7];
    start [shape=circle label="" width=0.18 style=filled fillcolor="#555555"];
    start -> ${quoted(machine.StartAt)};
    ${graphOf(machine)}
  }`;
  const svg = (await instance()).renderString(dot, { format: 'svg' });
  const body = svg.slice(svg.indexOf('<svg')).replace(/<!--[\s\S]*?-->\n?/g, '');
  const about = 'The states of the training pipeline, drawn from the definition that is deployed';
  return `${body.replace('<svg ', `<svg role="img" aria-label="${about}" `).trimEnd()}\n`;
};

const picture = await draw();
if (!process.argv.includes('--check')) {
  writeFileSync(PICTURE, picture);
  process.stdout.write(`${path.relative(root, PICTURE)} is drawn\n`);
} else if (!existsSync(PICTURE) || readFileSync(PICTURE, 'utf8') !== picture) {
  process.stderr.write(`${path.relative(root, PICTURE)} is not the picture of the definition: run \`node scripts/draw-pipeline.mjs\`\n`);
  process.exit(1);
}
