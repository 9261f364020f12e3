import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LocalError } from './errors';
import { isProcess, signalGroup } from './processes';
import { cacheDirectory } from './resources';
import type { OwnImages } from './sagemaker/images';

export type EngineStatus = 'starting' | 'running' | 'stopped' | 'failed';

/** One engine as its state file tells it: what the supervisor is to do, and what became of it. */
export interface EngineState {
  readonly schemaVersion: 1;
  readonly name: string;
  readonly status: EngineStatus;
  /** Supervisor; 0 before it was started. */
  readonly pid: number;
  readonly ministackPid?: number;
  readonly port: number;
  /** Whether a person chose the port, so that no other will do. */
  readonly portChosen: boolean;
  readonly token: string;
  readonly region: string;
  readonly accountId: string;
  /** Holds the logs; stays when the engine ends. */
  readonly directory: string;
  /** Removed when the engine ends. */
  readonly workDirectory: string;
  readonly attached: boolean;
  readonly python: string;
  readonly pluginDirectory: string;
  readonly runnersDirectory: string;
  readonly optimizedFields?: string;
  readonly nodePath: readonly string[];
  readonly waitScale: number;
  readonly timeScale?: number;
  readonly images?: OwnImages;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Why it ended, where nobody asked for it. */
  readonly reason?: string;
}

/** In the command line of every supervisor and of every MiniStack that a supervisor started. */
export const SUPERVISOR_WORD = 'supervisor.js';
export const MINISTACK_WORD = 'mlops_engine';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$/;
const KEPT_DAYS = 7;

export const enginesDirectory = (): string => path.join(cacheDirectory(), 'engines');
export const stateFile = (name: string): string => path.join(enginesDirectory(), `${checkedName(name)}.json`);
export const endpointOf = (state: EngineState): string => `http://127.0.0.1:${state.port}`;
export const isUp = (state: EngineState): boolean => state.status === 'starting' || state.status === 'running';

export function checkedName(name: string): string {
  if (!NAME.test(name)) throw new LocalError(`"${name}" is no name for an engine`, 'use letters, digits, hyphens and underscores, at most 48');
  return name;
}

export function writeState(state: EngineState): void {
  const file = stateFile(state.name);
  mkdirSync(path.dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}.tmp`;
  writeFileSync(fresh, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, file);
}

/** The state as written, with one correction: an engine whose supervisor is gone is not up, and what it left behind is cleared. */
export function readState(name: string): EngineState | undefined {
  const state = parse(stateFile(name));
  if (!state || !isUp(state)) return state;
  // Between writing the state and knowing the pid, the starting process stands for the supervisor.
  if (isProcess(state.pid, SUPERVISOR_WORD) || (state.status === 'starting' && state.pid === 0 && isRecent(state))) return state;
  return settle(state, 'its supervisor ended without saying why');
}

/** Clears what a dead supervisor left and writes down the end. */
export function settle(state: EngineState, reason: string): EngineState {
  const current = parse(stateFile(state.name)) ?? state;
  const ministackPid = current.ministackPid ?? state.ministackPid;
  if (ministackPid && isProcess(ministackPid, MINISTACK_WORD)) signalGroup(ministackPid, 'SIGKILL');
  rmSync(state.workDirectory, { recursive: true, force: true, maxRetries: 3 });
  if (!isUp(current)) return current;
  const ended: EngineState = { ...current, status: 'failed', endedAt: new Date().toISOString(), reason };
  writeState(ended);
  return ended;
}

export function listStates(): EngineState[] {
  const names = entries().filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
  return names.flatMap((name) => readState(name) ?? []).sort((a, b) => a.name.localeCompare(b.name));
}

export function removeEngine(state: EngineState): void {
  rmSync(stateFile(state.name), { force: true });
  rmSync(state.directory, { recursive: true, force: true, maxRetries: 3 });
}

/** Engines of single commands have names nobody asks for again; their logs are kept for a week. */
export function forgetOld(): void {
  for (const state of listStates()) {
    if (isUp(state) || !state.attached || !state.endedAt) continue;
    if (Date.now() - Date.parse(state.endedAt) > KEPT_DAYS * 86_400_000) removeEngine(state);
  }
}

function parse(file: string): EngineState | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as EngineState;
  } catch {
    return undefined;
  }
}

function isRecent(state: EngineState): boolean {
  try {
    return Date.now() - statSync(stateFile(state.name)).mtimeMs < 30_000;
  } catch {
    return false;
  }
}

function entries(): string[] {
  try {
    return readdirSync(enginesDirectory());
  } catch {
    return [];
  }
}
