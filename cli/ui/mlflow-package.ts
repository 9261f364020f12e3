import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { CliError } from '../errors';

const run = promisify(execFile);

/** An installed `mlflow` that has the web pages. */
export interface MlflowPackage {
  readonly version: string;
  /** Directory of `index.html`. */
  readonly pages: string;
}

/** Looks without importing, which takes seconds, and never in the current directory, where anything may be called mlflow. */
const LOOK = `
import importlib.metadata, importlib.util, json, os, sys
sys.path = [entry for entry in sys.path if entry not in ('', os.getcwd())]
found = importlib.util.find_spec('mlflow')
if found is None or not found.submodule_search_locations:
    print('null')
else:
    try:
        version = importlib.metadata.version('mlflow')
    except importlib.metadata.PackageNotFoundError:
        version = ''
    print(json.dumps({'directory': list(found.submodule_search_locations)[0], 'version': version}))
`;

interface Found {
  readonly directory: string;
  readonly version: string;
}

const look = async (python: string): Promise<Found | null | undefined> => {
  try {
    const { stdout } = await run(python, ['-c', LOOK], { timeout: 30_000 });
    return JSON.parse(stdout) as Found | null;
  } catch {
    return undefined;
  }
};

const INSTALL = 'install it (`pip install mlflow`; mlflow-skinny has no pages), or name another Python with --mlflow';

/** Interpreter that a `--mlflow` value means: an interpreter, or the directory of its environment. */
const interpreterAt = (place: string): string => {
  const inside = ['bin/python', 'Scripts/python.exe'].map((file) => path.join(place, file)).find((file) => existsSync(file));
  return existsSync(place) && statSync(place).isDirectory() && inside ? inside : place;
};

const candidates = (asked: string | undefined, environment: NodeJS.ProcessEnv): string[] => {
  if (asked !== undefined) return [interpreterAt(asked)];
  const active = environment.VIRTUAL_ENV ? [interpreterAt(environment.VIRTUAL_ENV)] : [];
  return [...active, 'python3', 'python'];
};

/** The first Python that has an `mlflow` with its pages: the one that is named, else that of the active environment, else those on the path. */
export async function findMlflow(asked: string | undefined, environment: NodeJS.ProcessEnv): Promise<MlflowPackage> {
  const withoutPages: string[] = [];
  let ran = false;
  for (const python of candidates(asked, environment)) {
    const found = await look(python);
    if (found === undefined) continue;
    ran = true;
    if (found === null) continue;
    const pages = path.join(found.directory, 'server/js/build');
    if (existsSync(path.join(pages, 'index.html'))) return { version: found.version, pages };
    withoutPages.push(found.directory);
  }
  if (withoutPages.length > 0) throw new CliError(`the mlflow in ${withoutPages[0]} has no web pages`, INSTALL);
  if (ran) throw new CliError(`no mlflow is installed for ${asked ?? 'the Python on the path'}`, INSTALL);
  throw new CliError(asked === undefined ? 'there is no Python on the path' : `${asked} is no Python that runs`, 'name one with --mlflow <python>');
}
