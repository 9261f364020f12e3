import { routes } from '../../../lambda/tracking/mlflow/routes';
import { type ApiPath, APPROVE_PATHS, READ_PATHS, WRITE_PATHS } from '../../../lib/tracking/api-access';

/** As IAM compares: a `*` takes anything, slashes too. */
const allows = (paths: readonly ApiPath[], method: string, path: string): boolean =>
  paths.some(([allowed, pattern]) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.$?()[\]{}|\\^+]/g, '\\$&'));
    return allowed === method && new RegExp(`^${parts.join('.*')}$`).test(path);
  });

/** A path that a route serves; calls of MLflow are served to the web UI too. */
const served = routes.flatMap(({ method, path, access }) => {
  const filled = path.replace(/\{\w+\+?\}/g, 'x');
  const both = /^\/api\/\d\.\d\/mlflow/.test(path) ? [filled, filled.replace('/api/', '/ajax-api/')] : [filled];
  return both.map((one) => ({ call: `${method} ${one}`, method, path: one, access }));
});
const DECISIONS = served.filter(({ path }) => path.startsWith('/api/2.0/mlops/registry/'));
const TOKENS = served.filter(({ path }) => path.startsWith('/token/'));

test('a route that reads is open to readers, one that writes is not', () => {
  const others = served.filter(({ call }) => call !== 'POST /token/write' && !DECISIONS.some((decision) => decision.call === call));
  const wrong = others.filter(({ method, path, access }) => allows(READ_PATHS, method, path) !== (access === 'read'));
  expect(wrong.map(({ call, access }) => `${call} (${access})`)).toEqual([]);
});

test('no reader is promised a call that there is not', () => {
  const spelledOut = READ_PATHS.filter(([, path]) => !path.includes('*')).map(([method, path]) => `${method} ${path}`);
  const calls = new Set(served.map(({ call }) => call));
  expect(spelledOut.filter((call) => !calls.has(call))).toEqual([]);
});

test('every route that writes is open to writers, but decisions about versions', () => {
  const writing = served.filter(({ access }) => access === 'write');
  expect(DECISIONS.length).toBeGreaterThan(0);
  const open = writing.filter(({ method, path }) => allows(WRITE_PATHS, method, path));
  expect(writing.filter((one) => !open.includes(one)).map(({ call }) => call)).toEqual(
    DECISIONS.filter(({ access }) => access === 'write').map(({ call }) => call),
  );
});

test('decisions are open to approvers alone, and approvers get nothing else to write', () => {
  expect(DECISIONS.filter(({ method, path }) => !allows(APPROVE_PATHS, method, path)).map(({ call }) => call)).toEqual([]);
  expect(DECISIONS.filter(({ method, path }) => allows([...READ_PATHS, ...WRITE_PATHS], method, path)).map(({ call }) => call)).toEqual([]);
  expect(served.filter(({ method, path }) => allows(APPROVE_PATHS, method, path))).toEqual(DECISIONS);
});

test('each scope of a token has a path of its own', () => {
  expect(TOKENS.map(({ call }) => call).sort()).toEqual(['POST /token/read', 'POST /token/write']);
  expect(allows(READ_PATHS, 'POST', '/token/write')).toBe(false);
});
