// Records what a real MLflow server answers to the requests in recorded/requests.json. It must be a fresh one:
//   mlflow server --backend-store-uri sqlite:///new.db --default-artifact-root s3://artifacts/mlflow --no-serve-artifacts
//   npx esbuild --bundle --platform=node test/lambda/tracking/mlflow/record.ts | node - http://127.0.0.1:5000
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Script, Step } from './script';

const here = path.resolve('test/lambda/tracking/mlflow/recorded');
const groups = JSON.parse(readFileSync(path.join(here, 'requests.json'), 'utf8')) as Record<string, Step[]>;
const server = process.argv[2];

const record = async (): Promise<void> => {
  const lines: string[] = [];
  for (const [group, steps] of Object.entries(groups)) {
    const script = new Script();
    const answers: string[] = [];
    for (const step of steps) {
      const { method, path: asked, headers, body } = script.request(step);
      const answer = await fetch(server + asked, { method, headers, body });
      answers.push(`  ${JSON.stringify(script.answered(step, answer.status, await answer.text()))}`);
    }
    lines.push(`${JSON.stringify(group)}: [\n${answers.join(',\n')}\n]`);
  }
  writeFileSync(path.join(here, 'answers.json'), `{\n${lines.join(',\n')}\n}\n`);
};

void record();
