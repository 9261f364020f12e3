import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { Template } from 'aws-cdk-lib/assertions';

export interface SynthesizedAlarm {
  readonly AlarmDescription?: string;
  readonly TreatMissingData?: string;
  readonly AlarmActions?: readonly unknown[];
  readonly MetricName?: string;
  readonly Period?: number;
  readonly EvaluationPeriods?: number;
  readonly Namespace?: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
}

export const alarmsOf = (template: Template): [string, SynthesizedAlarm][] =>
  Object.entries(template.findResources('AWS::CloudWatch::Alarm')).map(([id, { Properties }]) => [id, Properties as SynthesizedAlarm]);

/** Anchors as GitHub makes them from the runbook's headings of the second level. */
export const runbookAnchors = (): Set<string> => {
  const text = readFileSync(path.join(__dirname, '../../../docs/runbook.md'), 'utf8');
  const headings = text.split('\n').filter((line) => line.startsWith('## '));
  return new Set(headings.map((line) => line.slice(3).trim().toLowerCase().replace(/[^a-z0-9 -]/g, '').replace(/ /g, '-')));
};

/** What an alarm needs so that a person can act on it; the problems of one alarm. */
export const alarmProblems = (alarm: SynthesizedAlarm, topic: boolean): string[] => {
  const anchor = /docs\/runbook\.md#([a-z-]+)$/.exec(alarm.AlarmDescription ?? '')?.[1];
  return [
    ...(/^[A-Z].{20,}\. What to do: https:\/\//.test(alarm.AlarmDescription ?? '') ? [] : ['does not say what happened and what to do']),
    ...(anchor !== undefined && runbookAnchors().has(anchor) ? [] : [`links no section of the runbook (${anchor})`]),
    ...(alarm.TreatMissingData ? [] : ['leaves missing data to a default']),
    ...((alarm.AlarmActions?.length ?? 0) > 0 === topic ? [] : [topic ? 'tells nobody' : 'tells somebody although no topic is given']),
  ];
};
