// CPU time of the monitor's function from the start of its process to its first answer, the services it calls being there at once.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { line } from '../line.mjs';

const REPEATS = 7;
const bundle = path.resolve('assets/lambda/monitoring/run-monitor/index.js');

/** Answers as DynamoDB and S3 do where nothing is stored. */
const service = spawn(
  process.execPath,
  [
    '-e',
    `require('node:http').createServer((request, response) => {
       request.resume();
       const json = request.headers['x-amz-target'] !== undefined;
       response.setHeader('content-type', json ? 'application/x-amz-json-1.0' : 'application/xml');
       const none = '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>';
       request.on('end', () => response.end(json ? '{"Items":[],"Count":0}' : none));
     }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`,
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const port = await new Promise((resolve) => service.stdout.once('data', (data) => resolve(String(data).trim())));

const spec = {
  model: 'm', task: { kind: 'REGRESSION', target: 'y' }, endpointName: 'e', variantName: 'v', servingKind: 'SERVERLESS', samplingPercentage: 100,
  windowSeconds: 3600, delaySeconds: 900, minimumRows: 300, references: [{ kind: 'TRAINING' }], qualitySeconds: 2419200,
  falseAlarms: { episodes: 1, days: 90, shares: { drift: 0.5, quality: 0.25, groups: 0.25 } }, persistence: { breaches: 2, windows: 3 },
  qualityRules: [], groupColumns: [], groupRules: [], groupMinimum: { rows: 30, perClass: 10 }, featureMetrics: 3,
};
const contracts = ['artifacts', 'registry', 'retraining', 'common'].map((area) => readFileSync(`lib/${area}/contract.ts`, 'utf8'));
const names = contracts.flatMap((text) => text.match(/\bMLOPS_[A-Z_]+\b/g) ?? []);
const env = {
  PATH: process.env.PATH, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y', NODE_NO_WARNINGS: '1',
  AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`, POWERTOOLS_LOG_LEVEL: 'SILENT',
  ...Object.fromEntries(names.map((name) => [name, 'x'])),
  MLOPS_MONITOR_SPEC: JSON.stringify(spec),
};

const median = (program) => {
  const options = { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
  const once = () => Number(execFileSync(process.execPath, ['-e', program], options).trim().split('\n').at(-1));
  return Array.from({ length: REPEATS }, once).sort((a, b) => a - b)[Math.floor(REPEATS / 2)];
};
const used = 'const u = process.cpuUsage(); console.log((u.user + u.system) / 1000);';
const handler = `require(${JSON.stringify(bundle)}).handler({ action: 'plan', request: {} })`;
const first = `${handler}.then(() => { ${used} process.exit(); }, (error) => { console.error(error.message); process.exit(1); });`;

try {
  line('cold start', median(first), 'ms CPU', 300, { handler: 'monitoring/run-monitor', emptyProcess: Math.round(median(used)) });
} finally {
  service.kill();
}
