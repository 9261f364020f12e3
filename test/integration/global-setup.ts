import { existsSync } from 'node:fs';
import path from 'node:path';
import { bootstrap } from '../../local/deploy';
import { LocalEngine } from '../../local/engine';
import { type EngineConnection, CONNECTION_VARIABLE, projectRoot } from './harness';

declare global {
  // The teardown runs in this process and finds the engine here.
  var mlopsTestEngine: LocalEngine | undefined;
}

export default async function setUp(): Promise<void> {
  const missing = ['assets/local/supervisor.js', 'assets/lambda'].filter((name) => !existsSync(path.join(projectRoot, name)));
  if (missing.length) throw new Error(`not built (${missing.join(', ')} missing): run \`npm run build\` first`);
  const say = (line: string): void => void process.stderr.write(`engine: ${line}\n`);
  const engine = await LocalEngine.start({ attached: true, projectDirectory: projectRoot, onProgress: say });
  globalThis.mlopsTestEngine = engine;
  engine.onExit((reason) => say(`ended during the tests: ${reason}`));
  try {
    await bootstrap({ appDirectory: projectRoot, environment: engine.environment() });
  } catch (error) {
    await engine.stop();
    throw error;
  }
  const connection: EngineConnection = {
    endpoint: engine.endpoint,
    token: engine.token,
    region: engine.state.region,
    accountId: engine.state.accountId,
    logsDirectory: engine.logsDirectory,
    python: engine.state.python,
    env: engine.env,
  };
  // The workers inherit this: clients made without any configuration reach the engine too.
  for (const name of Object.keys(process.env)) if (/^AWS_/.test(name)) delete process.env[name];
  Object.assign(process.env, engine.env, { [CONNECTION_VARIABLE]: JSON.stringify(connection), NODE_NO_WARNINGS: '1' });
}
