// Serves the API over stores in memory on loopback, without authentication, for clients to be tried against in seconds:
//   npx esbuild --bundle --platform=node test/lambda/tracking/mlflow/serve.ts | node - 5001
//   MLFLOW_TRACKING_URI=http://127.0.0.1:5001 python …
// With AWS_ENDPOINT_URL_S3 and credentials, artifacts are in the bucket `artifacts` of that S3, for the client too.
import { createServer } from 'node:http';
import { MemoryApi } from './api';

const api = new MemoryApi();
const verbose = process.env.VERBOSE === '1';

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const { method = 'GET', url = '/' } = request;
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const body = Buffer.concat(parts);
    const answered = api.call({ method, path: url, headers: { ...headers, 'x-forwarded-proto': 'http' }, body: body.length > 0 ? body : undefined });
    void answered.then(({ status, headers: answer, bytes }) => {
      if (verbose) console.log(status, method, url, body.subarray(0, 300).toString(), status >= 400 ? bytes.toString() : '');
      response.writeHead(status, answer);
      response.end(bytes);
    });
  });
});

server.listen(Number(process.argv[2] ?? 5001), '127.0.0.1', () => console.log('serving', server.address()));
