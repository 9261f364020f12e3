import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';
import { MemorySageMaker } from '../../fakes/memory-sagemaker';

process.env.AWS_REGION = 'eu-west-1';
process.env.MLOPS_PLATFORM = 'mlops';

const sagemaker = new MemorySageMaker();
const stub = sagemaker.client();
jest.spyOn(SageMakerClient.prototype, 'send').mockImplementation(((command: never) => stub.send(command)) as never);
jest.spyOn(process.stdout, 'write').mockReturnValue(true);
jest.spyOn(process.stderr, 'write').mockReturnValue(true);

let server: Server;
let answers: { method?: string; type?: string; body: Record<string, string> }[] = [];
let status = 200;

beforeAll(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      answers.push({ method: request.method, type: request.headers['content-type'], body: JSON.parse(Buffer.concat(parts).toString()) });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  jest.restoreAllMocks();
  return new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  answers = [];
  status = 200;
});

const call = async (change: object, timeLeft = 60_000): Promise<void> => {
  const { handler } = await import('../../../lambda/serving/remove-endpoint.lambda');
  const event = {
    ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer?signature=x`,
    StackId: 'stack',
    RequestId: 'request',
    LogicalResourceId: 'Removal',
    ResourceProperties: { EndpointName: 'mlops-demand' },
    ...change,
  };
  await handler(event as unknown as CloudFormationCustomResourceEvent, { getRemainingTimeInMillis: () => timeLeft } as Context);
};

test('making or changing it only names the endpoint', async () => {
  await call({ RequestType: 'Create' });
  await call({ RequestType: 'Update', PhysicalResourceId: 'mlops-old' });
  expect(answers.map(({ body }) => [body.Status, body.PhysicalResourceId])).toEqual([['SUCCESS', 'mlops-demand'], ['SUCCESS', 'mlops-demand']]);
  expect(answers[0]).toMatchObject({ method: 'PUT', type: '', body: { StackId: 'stack', RequestId: 'request', LogicalResourceId: 'Removal' } });
  expect(sagemaker.calls).toEqual([]);
});

test('deleting it removes the endpoint that the id names, not the one in the template', async () => {
  sagemaker.models.set('mlops-old-m', 'mlops-old');
  await call({ RequestType: 'Delete', PhysicalResourceId: 'mlops-old' });
  expect(answers[0].body).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'mlops-old' });
  expect(sagemaker.models.size).toBe(0);
});

test('a removal that does not end in time is a failure with its reason, never silence', async () => {
  sagemaker.endpoints.set('mlops-demand', { config: 'c', status: 'Creating' });
  await call({ RequestType: 'Delete', PhysicalResourceId: 'mlops-demand' }, 1_000);
  expect(answers[0].body).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/mlops-demand is still Creating/) });
});

test('an answer that CloudFormation does not take fails the function, so that Lambda tries again', async () => {
  status = 403;
  await expect(call({ RequestType: 'Create' })).rejects.toThrow('CloudFormation did not take the answer: 403');
});
