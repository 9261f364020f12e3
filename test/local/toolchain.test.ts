import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensurePython, findPython } from '../../local/toolchain';

let root: string;
beforeEach(() => (root = mkdtempSync(path.join(os.tmpdir(), 'cdk-mlops-toolchain-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

/**
 * An interpreter that answers as Python does where the toolchain asks: its version, `-m venv DIR`, `-m pip install`.
 * Each installation adds a line to `log`; `pip` is what installing does.
 */
const fakePython = (name: string, version: string, pip = 'exit 0'): string => {
  const file = path.join(root, name);
  const script = `#!/bin/sh
case "$1 $2" in
  "-c "*) echo ${version}; echo ${file} ;;
  "-m venv") /bin/mkdir -p "$3/bin"; /bin/cp "$0" "$3/bin/python" ;;
  "-m pip") echo installed >> ${root}/log; ${pip} ;;
esac
`;
  writeFileSync(file, script);
  chmodSync(file, 0o755);
  return file;
};

const environment = (extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({ PATH: root, XDG_CACHE_HOME: path.join(root, 'cache'), ...extra });

const requirements = (text = 'ministack==1.5.33\n'): string => {
  const file = path.join(root, 'requirements.txt');
  writeFileSync(file, text);
  return file;
};

const installations = (): number => (existsSync(path.join(root, 'log')) ? readFileSync(path.join(root, 'log'), 'utf8').trim().split('\n').length : 0);

describe('the interpreter', () => {
  test('is the first one that is recent enough', () => {
    fakePython('python3', '3.9.2');
    fakePython('python3.12', '3.12.4');
    expect(findPython(environment())).toMatchObject({ command: 'python3.12', version: '3.12.4' });
  });

  test('is the one that MLOPS_PYTHON names, and no other', () => {
    fakePython('python3', '3.12.4');
    const old = fakePython('mine', '3.10.1');
    expect(() => findPython(environment({ MLOPS_PYTHON: old }))).toThrow(`MLOPS_PYTHON (${old}) is Python 3.10.1, older than 3.11`);
    expect(() => findPython(environment({ MLOPS_PYTHON: 'nothing' }))).toThrow('MLOPS_PYTHON (nothing) is no Python that starts');
  });

  test('that is too old is named together with the way out', () => {
    fakePython('python3', '3.9.2');
    const message = 'needs Python 3.11 or newer and found only python3 (3.9.2): install one, or name it in MLOPS_PYTHON';
    expect(() => findPython(environment())).toThrow(message);
  });

  test('that is missing is said to be', () => {
    expect(() => findPython(environment())).toThrow('needs Python 3.11 or newer and found none');
  });
});

describe('the virtual environment', () => {
  test('is built once for the same packages, and anew for others', async () => {
    fakePython('python3', '3.11.7');
    const first = await ensurePython({ environment: environment(), requirements: requirements() });
    expect(first.python).toContain(path.join('cache', 'cdk-mlops', 'python-3.11.7-'));
    await expect(ensurePython({ environment: environment(), requirements: requirements() })).resolves.toEqual(first);
    expect(installations()).toBe(1);
    const second = await ensurePython({ environment: environment(), requirements: requirements('ministack==1.5.34\n') });
    expect(second.python).not.toBe(first.python);
  });

  test('is built by one of several callers while the others wait', async () => {
    fakePython('python3', '3.11.7', '/bin/sleep 0.3');
    const file = requirements();
    const found = await Promise.all([1, 2, 3].map(() => ensurePython({ environment: environment(), requirements: file })));
    expect(new Set(found.map(({ python }) => python)).size).toBe(1);
    expect(installations()).toBe(1);
  });

  test('that was left half built is built again', async () => {
    fakePython('python3', '3.11.7');
    const file = requirements();
    const { python } = await ensurePython({ environment: environment(), requirements: file });
    rmSync(path.join(path.dirname(python), '..', '.complete'));
    mkdirSync(path.join(path.dirname(python), 'leftover'));
    await ensurePython({ environment: environment(), requirements: file });
    expect(installations()).toBe(2);
    expect(existsSync(path.join(path.dirname(python), 'leftover'))).toBe(false);
  });

  test.each([
    ['ERROR: Could not find a version that satisfies the requirement ministack==1.5.33', 'a package index that has these versions'],
    ['ERROR: Temporary failure in name resolution', 'check the network'],
    ['OSError: [Errno 28] No space left on device', 'free disk space'],
    ['error: something nobody knows', 'repair the cause and run the command again'],
  ])('that cannot be installed says why and what to do: %s', async (said, fix) => {
    fakePython('python3', '3.11.7', `echo "${said}" >&2; exit 1`);
    const failing = ensurePython({ environment: environment(), requirements: requirements() });
    await expect(failing).rejects.toThrow(said);
    await expect(ensurePython({ environment: environment(), requirements: requirements() })).rejects.toThrow(fix);
  });
});
