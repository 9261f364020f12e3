import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Duration } from 'aws-cdk-lib';
import fc from 'fast-check';
import * as tar from 'tar';
import { archiveOf, revisionOf } from '../../../lib/pipeline/code-archive';
import { Framework } from '../../../lib/pipeline/framework';
import { Gate } from '../../../lib/pipeline/gate';
import { Holdout } from '../../../lib/pipeline/holdout';
import { Training } from '../../../lib/pipeline/training';
import type { TrainingScriptOptions } from '../../../lib/pipeline/training-options';
import { directoryWith, samplePipeline } from './samples';

const directory = directoryWith({ 'train.py': 'print(1)\n', 'notes.txt': '' });
const options: TrainingScriptOptions = { directory, entryPoint: 'train.py', framework: Framework.xgboost('3.0-5') };

describe('Training.script refuses', () => {
  test.each<[string, Partial<TrainingScriptOptions>, RegExp]>([
    ['a directory that is not there', { directory: '/nowhere' }, /directory: must be a directory, got '\/nowhere'/],
    [
      'an entry point that is not there, naming the directory',
      { entryPoint: 'main.py' },
      /entryPoint: must be a file in the directory, got 'main\.py'; put it into \//,
    ],
    ['an entry point that is no Python', { entryPoint: 'notes.txt' }, /entryPoint: script mode runs Python files/],
    ['an instance type of EC2', { instanceType: 'm5.large' }, /instanceType: SageMaker names instance types ml\.<family>\.<size>, got 'm5\.large'/],
    ['a runtime beyond 28 days', { maxRuntime: Duration.days(29) }, /maxRuntime: must be between 60 and 2419200, got 2505600/],
    ['names that SageMaker reserves', { hyperparameters: { sagemaker_program: 'x' } }, /hyperparameters\.sagemaker_program: sagemaker_ is reserved/],
    ['values that are no strings', { hyperparameters: { rounds: 3 as unknown as string } }, /hyperparameters\.rounds: must be a string, got number/],
    [
      'hyperparameters too long for a function’s environment',
      { hyperparameters: { a: 'x'.repeat(1000), b: 'x'.repeat(1000) } },
      /hyperparameters: must take at most 2000 characters as JSON, got 2015/,
    ],
    ['a run without rows', { minimumRows: 0 }, /minimumRows: must be at least 1, got 0/],
  ])('%s', (_, change, message) => {
    expect(() => Training.script({ ...options, ...change })).toThrow(message);
  });

  test('no runtime that is not whole minutes', () => {
    const training = Training.script({ ...options, maxRuntime: Duration.seconds(90) });
    expect(() => samplePipeline({ training })).not.toThrow();
  });

  test('everything at once, in one message', () => {
    expect(() => Training.script({ ...options, instanceType: 'm5.large', minimumRows: 0 })).toThrow(/2 problems/);
  });
});

test.each([
  ['Holdout.lastDays(0)', () => Holdout.lastDays(0)],
  ['Holdout.lastDays(1.5)', () => Holdout.lastDays(1.5)],
  ['Holdout.share(0)', () => Holdout.share(0)],
  ['Holdout.share(0.6)', () => Holdout.share(0.6)],
  ['Holdout.share(NaN)', () => Holdout.share(NaN)],
  ['a gate that wants to be twice as good', () => Gate.beatsChampion({ metric: 'rmse', minimumImprovement: 2 })],
  ['a bound that is no number', () => Gate.beatsChampion({ metric: 'rmse', bounds: [{ metric: 'rmse', worseThan: NaN }] })],
  ['Framework.xgboost(3.0)', () => Framework.xgboost('3.0')],
  ['Framework.scikitLearn(latest)', () => Framework.scikitLearn('latest')],
])('synth refuses %s', (_, make) => {
  expect(make).toThrow(/^(Holdout|Gate|Framework)\.\w+: /);
});

describe('Framework', () => {
  test.each([
    ['eu-west-1', Framework.xgboost('3.0-5'), '141502667606.dkr.ecr.eu-west-1.', '/sagemaker-xgboost:3.0-5'],
    ['us-east-1', Framework.scikitLearn('1.4-2'), '683313688378.dkr.ecr.us-east-1.', '/sagemaker-scikit-learn:1.4-2-cpu-py3'],
  ])('takes the image of the region %s', (region, framework, registry, name) => {
    const { stack } = samplePipeline({ stackProps: { env: { account: '111122223333', region } } });
    const image = framework._image(stack);
    expect(image).toContain(registry);
    expect(image).toContain(name);
  });

  test('looks the account up at deploy where the region is not known at synth', () => {
    const { stack } = samplePipeline({ stackProps: {} });
    expect(JSON.stringify(stack.resolve(Framework.xgboost('3.0-5')._image(stack)))).toContain('Fn::FindInMap');
  });

  test('refuses a region without the image, naming those that have it', () => {
    expect(() => samplePipeline({ stackProps: { env: { account: '111122223333', region: 'xx-nowhere-1' } } })).toThrow(
      /region: SageMaker's sagemaker-xgboost image has to be published in the stack's region, got 'xx-nowhere-1'; deploy to one of .*eu-west-1/,
    );
  });
});

describe('the archive of the code', () => {
  const unpacked = async (bytes: Buffer): Promise<Record<string, string>> => {
    const target = directoryWith({ 'archive.tar.gz': '' });
    fs.writeFileSync(path.join(target, 'archive.tar.gz'), bytes);
    await tar.extract({ file: path.join(target, 'archive.tar.gz'), cwd: target });
    fs.rmSync(path.join(target, 'archive.tar.gz'));
    const names = fs.readdirSync(target, { recursive: true, encoding: 'utf8' }).filter((name) => fs.statSync(path.join(target, name)).isFile());
    return Object.fromEntries(names.map((name) => [name, fs.readFileSync(path.join(target, name), 'utf8')]));
  };

  test('is the same for the same files, whenever and in whatever order they were written', () => {
    const one = directoryWith({ 'a.py': '1', 'b/c.py': '2' });
    const two = directoryWith({ 'b/c.py': '2', 'a.py': '1' });
    fs.utimesSync(path.join(two, 'a.py'), 1, 1);
    fs.chmodSync(path.join(two, 'a.py'), 0o600);
    expect(archiveOf(one)).toEqual(archiveOf(two));
    expect(archiveOf(directoryWith({ 'a.py': '1', 'b/c.py': '3' })).sha256).not.toBe(archiveOf(one).sha256);
  });

  test('leaves out what tools leave behind', async () => {
    const noisy = directoryWith({
      'a.py': '1',
      '__pycache__/a.pyc': 'x',
      '.git/HEAD': 'x',
      'b.pyc': 'x',
      'deep/__pycache__/c.pyc': 'x',
      'deep/d.py': '2',
    });
    expect(await unpacked(archiveOf(noisy).bytes)).toEqual({ 'a.py': '1', 'deep/d.py': '2' });
  });

  test('gives back every file as it was, also with long paths', async () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,60}$/);
    const files = fc.dictionary(
      fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join('/')}.py`),
      fc.string(),
      { minKeys: 1, maxKeys: 5 },
    );
    await fc.assert(
      fc.asyncProperty(files, async (tree) => {
        const usable = Object.fromEntries(Object.entries(tree).filter(([file]) => !Object.keys(tree).some((other) => other.startsWith(`${file}/`))));
        expect(await unpacked(archiveOf(directoryWith(usable)).bytes)).toEqual(usable);
      }),
      { numRuns: 20 },
    );
  });

  test('refuses a name that the format cannot hold', () => {
    expect(() => archiveOf(directoryWith({ [`${'x'.repeat(101)}.py`]: '' }))).toThrow(/path too long for an archive of training code: x+\.py/);
  });

  test('has no time in it, of the files or of the packing', () => {
    const { bytes } = archiveOf(directory);
    expect(bytes.readUInt32LE(4)).toBe(0);
    expect(gunzipSync(bytes).subarray(136, 147).toString()).toBe('0'.repeat(11));
  });
});

test('the code’s commit is the last one that touched its directory, and dirty tells of what it lacks', () => {
  const repository = directoryWith({ 'code/train.py': '1', 'other.txt': '1' });
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false', ...args], {
      encoding: 'utf8',
    }).trim();
  const code = path.join(repository, 'code');
  expect(revisionOf(directoryWith({}))).toEqual({});
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'one');
  const first = git('rev-parse', 'HEAD');
  fs.writeFileSync(path.join(repository, 'other.txt'), '2');
  git('commit', '-q', '-am', 'two');
  expect(revisionOf(code)).toEqual({ commit: first, dirty: false });
  fs.writeFileSync(path.join(code, 'train.py'), '2');
  expect(revisionOf(code)).toEqual({ commit: first, dirty: true });
});
