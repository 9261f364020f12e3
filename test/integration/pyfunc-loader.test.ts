import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type ModelAbout, supportingFiles } from '../../lambda/registry/mlmodel';
import { projectRoot, useEngine } from './harness';

const XGBOOST = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5';
const SCIKIT = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3';
const root = mkdtempSync(path.join(os.tmpdir(), 'mlops-pyfunc-'));
afterAll(() => rmSync(root, { recursive: true }));

/** An unpacked model whose own file is a number. */
const unpacked = (name: string, image: string, script: string, columns = ['a', 'b'], more: Readonly<Record<string, string>> = {}): string => {
  const about: ModelAbout = {
    inferenceCode: { uri: 's3://code', sha256: 'x', entryPoint: 'train.py' },
    ...{ image, taskKind: 'REGRESSION', requirements: [], createdAt: '2026-01-01T00:00:00.000Z', archiveSha256: 'x' },
    schema: { columns: columns.map((column) => ({ name: column, type: 'number' })), target: 'y' },
  };
  const files = { ...supportingFiles(about), 'inference/train.py': script, 'model/weight': '2', ...more };
  for (const [file, text] of Object.entries(files)) {
    const place = path.join(root, name, file);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, text);
  }
  return path.join(root, name);
};

const python = (lines: readonly string[], ...args: string[]): unknown =>
  JSON.parse(execFileSync(useEngine().python, ['-c', lines.join('\n'), ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));

/** What the loader answers, and what the engine's container answers to the same rows as CSV. */
const both = (directory: string, framework: string, csv: string) =>
  python(
    [
      'import importlib, io, json, os, sys, pandas',
      'root, framework, text, runners = sys.argv[1:]',
      'sys.path.insert(0, os.path.join(root, "code"))',
      'import mlops_pyfunc',
      'loaded = mlops_pyfunc._load_pyfunc(root).predict(pandas.read_csv(io.StringIO(text)))',
      'sys.path.insert(0, runners)',
      'import serving',
      'handlers = serving.Handlers(importlib.import_module("train"), framework)',
      'model = handlers.load(os.path.join(root, "model"))',
      'answer = handlers.transform(model, text.strip().split("\\n", 1)[1], "text/csv", "text/csv")',
      'answer = answer[0] if isinstance(answer, tuple) else answer',
      'lines = [line.split(",") for line in answer.strip().split("\\n")]',
      'want = [float(line[0]) if len(line) == 1 else [float(cell) for cell in line] for line in lines]',
      'print(json.dumps({"loaded": loaded.tolist(), "container": want}))',
    ],
    ...[directory, framework, csv, path.join(projectRoot, 'local/runners')],
  ) as { loaded: unknown; container: unknown };

const LOAD = ['import os', 'def model_fn(directory):', '    return Model(float(open(os.path.join(directory, "weight")).read()))'];
const SUM = [
  ...['import numpy as np', 'class Model:', '    def __init__(self, weight): self.weight = weight'],
  '    def predict(self, rows, **_): return self.weight * np.asarray(rows).sum(axis=1)',
];

const TREE = [
  ...['import xgboost, numpy as np', 'def model_fn(directory):'],
  '    rows = xgboost.DMatrix(np.array([[1., 2.], [3., 4.]]), label=[1., 5.])',
  '    return xgboost.train({"seed": 1, "min_child_weight": 0}, rows, 3)',
];
const TRANSFORM = [
  ...['def model_fn(directory): return 3', 'def transform_fn(model, body, content_type, accept):'],
  '    return "\\n".join("%s,%s" % (model, len(line)) for line in body.split("\\n")), "text/csv"',
];

test.each<[string, string, string, readonly string[], unknown]>([
  ['scikit-learn’s own reading and writing', SCIKIT, 'scikit-learn', [...SUM, ...LOAD], [7, 11.5]],
  ['XGBoost’s own reading and predicting', XGBOOST, 'xgboost', TREE, [expect.any(Number), expect.any(Number)]],
  ['a transform_fn of the script', SCIKIT, 'scikit-learn', TRANSFORM, [[3, 5], [3, 8]]],
])('with %s the loader answers what the container answers', (name, image, framework, script, expected) => {
  const directory = unpacked(name.replace(/\W/g, ''), image, script.join('\n'));
  const { loaded, container } = both(directory, framework, 'a,b\n1,2.5\n2.25,3.5\n');
  expect(loaded).toEqual(container);
  expect(loaded).toEqual(expected);
});

test('cells are written as the training data have them', () => {
  const script = [
    ...['def model_fn(directory): return None', 'def transform_fn(model, body, content_type, accept):'],
    '    return "".join(\'"%s"\\n\' % line.replace(\'"\', "\'") for line in body.split("\\n")), "text/csv"',
  ];
  const directory = unpacked('cells', SCIKIT, script.join('\n'), ['whole', 'part', 'text', 'time']);
  const rows = python(
    [
      'import json, os, sys, pandas, numpy',
      'sys.path.insert(0, os.path.join(sys.argv[1], "code"))',
      'import mlops_pyfunc',
      'frame = pandas.DataFrame({"time": pandas.to_datetime(["2026-01-01T05:00:00Z", None]), "text": ["a,b", None],',
      '                          "part": [0.1, numpy.nan], "whole": [3.0, -0.0], "extra": [1, 2]})',
      'print(json.dumps(mlops_pyfunc._load_pyfunc(sys.argv[1]).predict(frame).tolist()))',
    ],
    directory,
  );
  expect(rows).toEqual(["3,0.1,'a,b',2026-01-01T05:00:00+00:00", '-0.0,,,']);
});

test('two versions with modules of the same names stand side by side in one process', () => {
  const script = ['from helpers import FACTOR', ...SUM, ...LOAD, 'def predict_fn(rows, model): return model.predict(rows) * FACTOR'].join('\n');
  const version = (factor: number) =>
    unpacked(`factor${factor}`, SCIKIT, script, ['a', 'b'], { 'inference/helpers.py': `FACTOR = ${factor}\n` });
  const [one, ten] = [version(1), version(10)];
  const answers = python(
    [
      'import json, os, sys, pandas',
      'sys.path.insert(0, os.path.join(sys.argv[1], "code"))',
      'import mlops_pyfunc',
      'models = [mlops_pyfunc._load_pyfunc(root) for root in (sys.argv[1], sys.argv[2], sys.argv[1])]',
      'frame = pandas.DataFrame({"a": [1, 2], "b": [2, 3]})',
      'print(json.dumps([model.predict(frame).tolist() for model in models]))',
    ],
    ...[one, ten],
  );
  expect(answers).toEqual([[6, 10], [60, 100], [6, 10]]);
});
