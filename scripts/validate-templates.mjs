// Proof that what is deployed is valid: synthesizes every app and holds its templates against cfn-lint, cdk-nag (AwsSolutions), CloudFormation's own
// offline rules and the States Language. One line per check; exit code 1 if anything was found.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonTools } from './checks/python-tools.mjs';
import { checkStateMachines } from './checks/state-machines.mjs';
import { findApps, synthesize } from './checks/synthesize.mjs';

const NAG = 'AwsSolutions';
const REGIONS = ['us-east-1', 'eu-west-1'];
/** CDK makes whatever uses a role wait for all of the role, which cfn-lint calls redundant where the property refers to it too. */
const IGNORED = ['W3005'];
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

let failures = 0;
const report = (app, check, findings, counted) => {
  failures += findings.length > 0 ? 1 : 0;
  const figures = [`${findings.length} finding(s)`, counted].filter(Boolean).join(', ');
  process.stdout.write(`${findings.length === 0 ? 'passed' : 'FAILED'}  ${app}  ${check}: ${figures}\n`);
  for (const finding of findings) process.stdout.write(`        ${finding}\n`);
};

const cfnLint = (templates) => {
  const tool = path.join(pythonTools(path.join(root, 'scripts', 'checks', 'requirements.txt')), 'cfn-lint');
  const options = ['--format', 'json', '--regions', ...REGIONS, '--ignore-checks', ...IGNORED];
  const done = spawnSync(tool, [...options, '--', ...templates], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (!done.stdout) throw new Error(`cfn-lint did not run: ${done.stderr || done.error}`);
  return JSON.parse(done.stdout).map(({ Rule, Message, Location }) => `${Rule.Id} ${Location?.Path?.Path?.join('/') ?? ''}: ${Message}`);
};

const violationsOf = (reports) =>
  reports.map(({ pluginName, violations = [] }) => ({
    pluginName,
    findings: violations.map(({ ruleName, description, violatingConstructs = [], violatingResources = [] }) => {
      const where = [...violatingConstructs, ...violatingResources].map(({ constructPath, resourceLogicalId }) => constructPath ?? resourceLogicalId);
      return `${ruleName} ${[...new Set(where)].join(', ')}: ${description}`;
    }),
  }));

if (!existsSync(path.join(root, 'assets', 'bin', 'app.js'))) {
  process.stderr.write('the app is not built: run `npm run build` first\n');
  process.exit(1);
}
for (const app of findApps(root)) {
  const { out, templates, failed, output, nag, reports } = synthesize(app, root);
  const plugins = violationsOf(reports);
  const unacknowledged = plugins.find(({ pluginName }) => pluginName === NAG)?.findings ?? [];
  report(app.name, `cdk-nag ${NAG}`, unacknowledged, `${nag.resources} resources`);
  for (const { pluginName, findings } of plugins.filter((plugin) => plugin.pluginName !== NAG)) report(app.name, pluginName, findings);
  if (failed && plugins.every(({ findings }) => findings.length === 0)) report(app.name, 'synthesis', [output]);
  report(app.name, 'cfn-lint', cfnLint(templates), `${templates.length} template(s)`);
  const machines = templates.map(checkStateMachines);
  const count = machines.reduce((sum, machine) => sum + machine.count, 0);
  report(app.name, 'States Language', machines.flatMap(({ findings }) => findings), `${count} state machine(s)`);
  rmSync(out, { recursive: true, force: true });
}
const picture = spawnSync(process.execPath, [path.join(root, 'scripts', 'draw-pipeline.mjs'), '--check'], { encoding: 'utf8' });
report('app', 'picture of the pipeline', picture.status === 0 ? [] : [picture.stderr.trim()]);
process.exit(failures === 0 ? 0 : 1);
