import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Bench, configRequest, modelRequest, trainingRequest } from './support';

jest.setTimeout(60_000);

/** As an image of one's own holds them: they know the paths of the container, and nothing of this engine. */
const TRAIN = `#!/usr/bin/env python3
import json, sys
from pathlib import Path
parameters = json.loads(Path('/opt/ml/input/config/hyperparameters.json').read_text())
rows = Path('/opt/ml/input/data/train/rows.csv').read_text().splitlines()
if parameters['word'] == 'none':
    Path('/opt/ml/output/failure').write_text('there is no word')
    sys.exit(3)
print('rows=%d;' % len(rows), flush=True)
Path('/opt/ml/model/word').write_text(parameters['word'])
`;
const SERVE = `#!/usr/bin/env python3
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
word = open('/opt/ml/model/word').read()
class Handler(BaseHTTPRequestHandler):
    def answer(self, text):
        self.send_response(200)
        self.send_header('content-type', 'text/plain')
        self.send_header('content-length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def do_GET(self):
        self.answer(b'')
    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length'] or 0))
        self.answer(word.encode() + b' ' + body)
HTTPServer(('127.0.0.1', int(os.environ.get('SAGEMAKER_BIND_TO_PORT', '8080'))), Handler).serve_forever()
`;

const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-image-'));
let bench: Bench;

afterAll(async () => {
  await bench.stop();
  rmSync(directory, { recursive: true });
});

test('an image of one’s own trains and serves by its own programs', async () => {
  for (const [name, text] of Object.entries({ train: TRAIN, serve: SERVE })) {
    writeFileSync(path.join(directory, name), text);
    chmodSync(path.join(directory, name), 0o755);
  }
  bench = await Bench.start(1, 0.02, { 'team/own': directory });
  bench.engine.put('data/train/rows.csv', 'a\n1\n2\n');
  const image = '123456789012.dkr.ecr.us-east-1.amazonaws.com/team/own:7';
  const request = (name: string, word: string) =>
    trainingRequest(name, {
      AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: 'File', MetricDefinitions: [{ Name: 'rows', Regex: 'rows=([0-9]+);' }] },
      HyperParameters: { word },
    });
  await bench.call('CreateTrainingJob', request('own', 'hello'));
  expect(await bench.trained('own')).toMatchObject({ TrainingJobStatus: 'Completed', FinalMetricDataList: [{ MetricName: 'rows', Value: 3 }] });
  await bench.call('CreateTrainingJob', request('refused', 'none'));
  expect(await bench.trained('refused')).toMatchObject({ FailureReason: 'AlgorithmError: there is no word, exit code: 3' });

  const model = modelRequest('own', 'own');
  const PrimaryContainer = { Image: image, ModelDataUrl: model.PrimaryContainer.ModelDataUrl };
  await bench.call('CreateModel', { ...model, PrimaryContainer });
  await bench.call('CreateEndpointConfig', configRequest('own', 'own'));
  await bench.call('CreateEndpoint', { EndpointName: 'own', EndpointConfigName: 'own' });
  expect(await bench.settled('own')).toMatchObject({ EndpointStatus: 'InService' });
  expect(await (await bench.invoke('own', 'world')).text()).toBe('hello world');
});
