import * as z from 'zod';
import { readPredictions, readRequestRows, UnreadableBody } from './bodies';
import { parseLine } from './json-line';
import type { Rejections } from './rejections';
import type { RuntimeTask } from './task-metrics';
import type { Cell } from './values';
import { readTime } from './values';

/** One row of a recorded request. */
export interface RecordedRow {
  /** The caller's id; the record's own where the caller gave none. */
  readonly inferenceId: string;
  readonly rowIndex: number;
  /** Event time in milliseconds: of the row's time column, else of the request. */
  readonly time: number;
  /** In the order of the model's columns. */
  readonly values: readonly Cell[];
  readonly prediction?: Cell;
}

export interface RecordedRequest {
  readonly eventId: string;
  /** Wall-clock time of the request in milliseconds. */
  readonly requestTime: number;
  readonly rows: readonly RecordedRow[];
}

const body = z.object({ observedContentType: z.string().optional(), data: z.string(), encoding: z.enum(['CSV', 'JSON', 'BASE64']) });

const record = z.object({
  captureData: z.object({ endpointInput: body.optional(), endpointOutput: body.optional() }),
  eventMetadata: z.object({ eventId: z.string().min(1), inferenceId: z.string().optional(), inferenceTime: z.string() }),
});

/** Reads the lines of capture files. What cannot be used is counted by cause and never stops the rest. */
export class RecordReader {
  private readonly timeIndex: number;

  constructor(
    private readonly columns: readonly string[],
    task: RuntimeTask,
    private readonly rejections: Rejections,
  ) {
    this.timeIndex = task.timeColumn === undefined ? -1 : columns.indexOf(task.timeColumn);
  }

  /** `where` names the line, for the sample of a rejection. */
  public read(line: string, where: string): RecordedRequest | undefined {
    if (line.trim() === '') {
      return undefined;
    }
    const parsed = record.safeParse(parseLine(line));
    const requestTime = parsed.success ? readTime(parsed.data.eventMetadata.inferenceTime) : undefined;
    if (!parsed.success || requestTime === undefined) {
      this.rejections.add('record-malformed', where, 'the line is no capture record');
      return undefined;
    }
    const { captureData, eventMetadata } = parsed.data;
    if (captureData.endpointInput === undefined) {
      this.rejections.add('request-not-recorded', where, 'the record holds no request body');
      return undefined;
    }
    const cells = this.attempt('request-unreadable', where, () => readRequestRows(captureData.endpointInput!, this.columns));
    if (cells === undefined) {
      return undefined;
    }
    const predictions = this.predictions(captureData.endpointOutput, cells.length, where);
    const inferenceId = eventMetadata.inferenceId ?? eventMetadata.eventId;
    const rows = cells.flatMap((values, rowIndex): RecordedRow[] => {
      const time = this.rowTime(values, requestTime, `${where} row ${rowIndex}`);
      return time === undefined ? [] : [{ inferenceId, rowIndex, time, values, prediction: predictions?.[rowIndex] }];
    });
    return { eventId: eventMetadata.eventId, requestTime, rows };
  }

  private predictions(output: z.infer<typeof body> | undefined, rows: number, where: string): Cell[] | undefined {
    const found = output && this.attempt('prediction-unreadable', where, () => readPredictions(output, rows));
    if (found !== undefined && found.length !== rows) {
      this.rejections.add('prediction-count', where, `${rows} rows were sent, ${found.length} predictions came back`);
      return undefined;
    }
    return found;
  }

  private rowTime(values: readonly Cell[], requestTime: number, where: string): number | undefined {
    if (values.length !== this.columns.length) {
      this.rejections.add('column-count', where, `${values.length} values instead of ${this.columns.length}`);
      return undefined;
    }
    if (this.timeIndex < 0) {
      return requestTime;
    }
    const time = readTime(values[this.timeIndex]);
    if (time === undefined) {
      this.rejections.add('row-time', where, `column ${this.columns[this.timeIndex]} is no ISO 8601 time`);
    }
    return time;
  }

  private attempt<T>(cause: string, where: string, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof UnreadableBody)) {
        throw error;
      }
      this.rejections.add(cause, where, error.message);
      return undefined;
    }
  }
}
