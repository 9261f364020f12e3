import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { hoursOf, readHours, trainingCsv } from '../../cli/demo/bike-data';
import { publicConstructs } from './alone';
import { blocksOf, root, stackOf, typeProblems } from './snippets';

const readme = blocksOf('README.md', 'ts');
const constructs = blocksOf('docs/constructs.md', 'ts');
const pipeline = blocksOf('docs/pipeline.md', 'ts');

test('the code of README, docs/constructs.md and docs/pipeline.md compiles', () => {
  expect(readme).toHaveLength(1);
  expect(constructs.length).toBeGreaterThanOrEqual(12);
  expect(typeProblems({ readme: readme[0], constructs: constructs.join('\n'), pipeline: pipeline.join('\n') })).toEqual([]);
});

test('the example of README is one model in about 30 lines, and synthesizes', () => {
  expect(readme[0].trim().split('\n').length).toBeLessThanOrEqual(34);
  const template = Template.fromStack(stackOf(readme[0], require));
  template.resourceCountIs('AWS::StepFunctions::StateMachine', 2);
  template.hasResourceProperties('AWS::SSM::Parameter', { Name: '/cdk-mlops/mlops/models/BikeDemand' });
});

test('the snippets of docs/constructs.md are one program that synthesizes', () => {
  const template = Template.fromStack(stackOf(constructs.join('\n'), require));
  template.resourceCountIs('AWS::StepFunctions::StateMachine', 8);
  template.hasResourceProperties('AWS::Lambda::Function', { Description: 'Plans, profiles and judges windows of Demand', MemorySize: 3008 });
});

test('the snippets of docs/pipeline.md are one program that synthesizes', () => {
  const template = Template.fromStack(stackOf(pipeline.join('\n'), require));
  const definitions = JSON.stringify(template.findResources('AWS::StepFunctions::StateMachine'));
  for (const state of ['Features', 'Tune', 'ScoreMore', 'Notify', 'Announce', 'RequestApproval', 'Verify'])
    expect(definitions).toContain(`\\"${state}\\":{`);
});

test.each(publicConstructs())('docs/constructs.md tells of %s: code, what it costs to idle, what it refuses', (name) => {
  const text = readFileSync(path.join(root, 'docs/constructs.md'), 'utf8');
  const section = text.split(/^## /m).find((found) => found.startsWith(`${name}\n`)) ?? '';
  for (const part of name === 'RunTracker' ? ['```ts', 'as for the registry'] : ['```ts', '**Idle**', '**Refuses**']) expect(section).toContain(part);
});

test('the commands that make the training data of the example give what the demo trains on', () => {
  const directory = path.join(root, 'examples', 'bike-sharing');
  const [commands] = blocksOf('examples/bike-sharing/README.md', 'sh').filter((block) => block.includes('rows()'));
  const made = execFileSync('sh', ['-c', commands.replace('> 2011.csv', '')], { cwd: directory, encoding: 'utf8' });
  expect(made).toBe(trainingCsv(hoursOf(readHours(path.join(directory, 'data', 'hour.csv')), '2011')));
});
