import { readFileSync } from 'node:fs';
import path from 'node:path';
import { MemoryApi } from './api';
import { Recorded, Script, Step } from './script';

const read = <T>(name: string): T => JSON.parse(readFileSync(path.join(__dirname, 'recorded', name), 'utf8')) as T;
const requests = read<Record<string, Step[]>>('requests.json');
const answers = read<Record<string, Recorded[]>>('answers.json');

/** A message that differs on purpose is compared by its code alone. */
const compared = (step: Step, { status, body, text }: Recorded): unknown => {
  if (step.differs) return 'differs';
  if (step.status) return { status };
  return step.code ? { code: body?.error_code } : { status, body, text };
};

describe.each(Object.keys(requests))('answers what MLflow 3.17.2 answered: %s', (group) => {
  const script = new Script();
  const api = new MemoryApi();

  test.each(requests[group].map((step, index) => [index, step.call, step] as const))('%i %s', async (index, _, step) => {
    const { method, path: asked, headers, body } = script.request(step);
    const answer = await api.call({ method, path: asked, headers, body });
    const found = script.answered(step, answer.status, answer.bytes.toString());
    expect(compared(step, found)).toEqual(compared(step, answers[group][index]));
    if (answer.status >= 500) expect(found).toEqual(answers[group][index]);
  });
});
