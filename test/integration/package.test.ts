import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.resolve(__dirname, '..', '..');

/** Stands for the app of a user who has installed nothing but the package and its peers. */
const APP = `
const { App, Duration, Size, Stack } = require('aws-cdk-lib');
const mlops = require('cdk-mlops');

const app = new App();
const stack = new Stack(app, 'Mine');
const platform = new mlops.MlOpsPlatform(stack, 'MlOps', {});
platform.addModel('Demand', {
  task: mlops.Task.regression({ target: 'cnt', timeColumn: 'timestamp' }),
  training: mlops.Training.script({ directory: 'training', entryPoint: 'train.py', framework: mlops.Framework.xgboost('3.0-5') }),
  gate: mlops.Gate.beatsChampion({ metric: 'rmse' }),
  approval: mlops.Approval.automatic(),
  serving: mlops.Serving.serverless({ memory: Size.gibibytes(2), maxConcurrency: 5 }),
  monitoring: mlops.Monitoring.every(Duration.days(7), { minimumRows: 100 }),
  retraining: mlops.Retraining.on([mlops.Trigger.quality({ metric: 'rmse', worseThan: 100 })], { cooldown: Duration.days(30) }),
});
app.synth();
`;

describe('the published package', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-package-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const run = (command: string, ...args: string[]): string => execFileSync(command, args, { cwd: directory, encoding: 'utf8' });

  test('synthesizes in an empty app that has only the package and its peers', () => {
    const packed = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory], { cwd: root, encoding: 'utf8' });
    writeFileSync(path.join(directory, 'package.json'), JSON.stringify({ name: 'mine', private: true }));
    run('npm', 'install', '--silent', '--offline', '--legacy-peer-deps', '--no-audit', '--no-fund', `./${packed.trim().split('\n').at(-1)}`);
    for (const peer of ['aws-cdk-lib', 'constructs']) symlinkSync(path.join(root, 'node_modules', peer), path.join(directory, 'node_modules', peer));
    mkdirSync(path.join(directory, 'training'));
    writeFileSync(path.join(directory, 'training', 'train.py'), 'print("train")\n');
    writeFileSync(path.join(directory, 'app.js'), APP);
    execFileSync(process.execPath, ['app.js'], { cwd: directory, env: { ...process.env, CDK_OUTDIR: path.join(directory, 'cdk.out') } });

    const template = JSON.parse(readFileSync(path.join(directory, 'cdk.out', 'Mine.template.json'), 'utf8'));
    const types = Object.values(template.Resources as Record<string, { Type: string }>).map((resource) => resource.Type);
    expect(types).toEqual(expect.arrayContaining(['AWS::StepFunctions::StateMachine', 'AWS::DynamoDB::GlobalTable', 'AWS::Scheduler::Schedule']));
    const installed = JSON.parse(readFileSync(path.join(directory, 'node_modules', 'cdk-mlops', 'package.json'), 'utf8'));
    expect(installed.dependencies).toBeUndefined();
  });
});
