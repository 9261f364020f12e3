import { createHash } from 'node:crypto';
import * as z from 'zod';
import { hourPath, labelsPrefix } from '../../../lib/artifacts/contract';
import { MODEL_NAME_PATTERN } from '../../../lib/common/contract';
import { EVENTS } from '../../../lib/retraining/contract';
import type { LabelRecord } from '../../../lib/serving/contract';

/** Labels as an event on the platform's bus; `value` null takes an earlier label back. */
const labelsEvent = z.object({
  id: z.string().min(1),
  time: z.iso.datetime({ offset: true }),
  'detail-type': z.literal(EVENTS.labelsObserved),
  detail: z.object({
    platform: z.string(),
    model: z.string().regex(MODEL_NAME_PATTERN),
    labels: z
      .array(
        z.object({
          inferenceId: z.string().min(1).max(64),
          rowIndex: z.number().int().min(0).default(0),
          value: z.union([z.string().min(1), z.number(), z.null()]),
          observedAt: z.iso.datetime({ offset: true }).optional(),
          labelVersion: z.number().int().min(0).default(1),
        }),
      )
      .min(1),
  }),
});

export interface LabelsFile {
  readonly platform: string;
  readonly model: string;
  readonly labels: number;
  /** Key in the predictions bucket: the same event has the same one. */
  readonly key: string;
  /** JSON lines of LabelRecord. */
  readonly body: string;
}

/** The file that an event of labels becomes; fails on what is no such event, naming what is wrong with it. */
export function labelsFile(input: unknown): LabelsFile {
  const { id, time, detail } = labelsEvent.parse(input);
  const records = detail.labels.map((label): LabelRecord => ({ ...label, observedAt: new Date(label.observedAt ?? time).toISOString() }));
  // Senders choose neither key nor hour: both are the event's, so that a second delivery finds the first.
  const name = createHash('sha256').update(id).digest('hex').slice(0, 32);
  return {
    platform: detail.platform,
    model: detail.model,
    labels: records.length,
    key: `${labelsPrefix(detail.model)}${hourPath(new Date(time))}/event-${name}.jsonl`,
    body: `${records.map((record) => JSON.stringify(record)).join('\n')}\n`,
  };
}
