import { readFileSync } from 'node:fs';
import * as path from 'node:path';

/** Sections of docs/runbook.md that alarms point to. */
export const RUNBOOK = {
  driftDetected: 'drift-detected',
  dataQualityViolated: 'data-quality-violated',
  qualityDegraded: 'quality-degraded',
  groupGapDetected: 'group-gap-detected',
  pipelineFailed: 'pipeline-failed',
  monitorDidNotRun: 'monitor-did-not-run',
  monitorFailed: 'monitor-failed',
  monitorSawNothing: 'monitor-saw-nothing',
  labelsLost: 'labels-lost',
  recordingFailed: 'recording-failed',
  governorErrors: 'governor-errors',
  deadLetters: 'dead-letters',
  apiErrors: 'mlflow-api-errors',
  apiThrottled: 'mlflow-api-throttled',
} as const;

/**
 * Address of a section of the runbook that this version of the package was published with.
 *
 * @internal
 */
export const runbookUrl = (section: string): string => {
  // The same two levels up from lib/operations and dist/operations.
  const manifest = JSON.parse(readFileSync(path.join(__dirname, '..', '..', 'package.json'), 'utf8')) as { repository: { url: string } };
  return `${manifest.repository.url.replace(/^git\+|\.git$/g, '')}/blob/main/docs/runbook.md#${section}`;
};
