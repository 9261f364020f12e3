import type { Rejections } from '../rejections';
import type { Cell, Chunks, PlacedText, RequestHead, RequestSink, TextRow } from '../rows';
import { withoutBom } from './bom';
import { asciiOf, textOf } from './bytes';
import type { BodyRows, CapturedBody } from './capture-body';
import { BodyReader, firstFields, predictionOf, predictionsOf } from './capture-body';
import type { CaptureLine } from './capture-record';
import { captureLine } from './capture-record';
import type { CaptureStats } from './capture-stats';
import { CaptureTemplate, EVENT_ID, INFERENCE_ID, INPUT, OUTPUT, TIME } from './capture-template';
import { TimeReader } from './capture-time';
import type { RecordScanner } from './feeder';
import { Feeder } from './feeder';
import type { FlatRows } from './flat-rows';
import { UnreadableBody } from './json-body';
import { isBlankLine, LineRejections, NOT_UTF8, parseLine, wholeLinesOf } from './lines';

const NEWLINE = 10;
/** Forms of records that are remembered, and lines that one is looked for in. */
const MOST_TEMPLATES = 8;
const MOST_LEARNT = 500;

/**
 * Requests that SageMaker's data capture recorded, one a line, each with several rows perhaps. Input and output have each their own encoding, and
 * either may be absent. The head that the sink gets is good until the next one.
 */
export async function readCapture(
  chunks: Chunks,
  where: string,
  columns: readonly string[],
  sink: RequestSink,
  rejections: Rejections,
  seen: CaptureStats,
): Promise<void> {
  const feeder = new Feeder(new CaptureScanner(where, columns, sink, rejections, seen));
  for await (const chunk of withoutBom(chunks)) {
    feeder.push(chunk);
  }
  feeder.finish();
}

export class CaptureScanner implements RecordScanner {
  private readonly lines: LineRejections;
  private readonly templates: CaptureTemplate[] = [];
  private learnt = 0;
  private readonly times = new TimeReader();
  private readonly inputs = new BodyReader();
  private readonly outputs = new BodyReader();
  private readonly head = new PlacedHead();
  private readonly row: TextRow;
  private readonly numbers: Float64Array;
  private readonly firstRow: TextRow;

  /** `learns`: whether lines of a form that is known are read in place; the answers are the same. */
  constructor(
    where: string,
    private readonly columns: readonly string[],
    private readonly sink: RequestSink,
    private readonly rejections: Rejections,
    private readonly seen: CaptureStats,
    private readonly learns = true,
  ) {
    this.lines = new LineRejections(where, rejections);
    const places = new Int32Array(columns.length);
    this.numbers = new Float64Array(columns.length);
    this.row = { bytes: new Uint8Array(0), starts: places, ends: places.slice(), length: columns.length, numbers: this.numbers };
    this.firstRow = { ...this.row };
  }

  public scan(bytes: Uint8Array, from: number, to: number): number {
    const lines = wholeLinesOf(bytes, from, to);
    if (lines === undefined) {
      return from;
    }
    const { region, last, isText } = lines;
    this.head.isAscii = lines.isAscii;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let start = from; start <= last; ) {
      this.lines.line += 1;
      let end = isText ? this.readInPlace(bytes, view, start) : -1;
      if (end < 0) {
        end = region.indexOf(NEWLINE, start);
        this.readLine(bytes, start, end, isText);
      }
      start = end + 1;
    }
    return last + 1;
  }

  public end(bytes: Uint8Array, from: number, to: number): number {
    return this.lines.end(bytes, from, to);
  }

  public tooLong(): void {
    this.lines.tooLong();
  }

  /** A line without a newline gets one. */
  public unfinished(): void {}

  /** Index of the line's newline; -1 where the line has none of the known forms. */
  private readInPlace(bytes: Uint8Array, view: DataView, start: number): number {
    for (let index = 0; index < this.templates.length; index += 1) {
      const template = this.templates[index];
      const end = template.match(bytes, view, start);
      if (end >= 0) {
        if (index > 0) {
          this.templates.splice(index, 1);
          this.templates.unshift(template);
        }
        return this.deliverMatch(bytes, view, template) ? end : -1;
      }
    }
    return -1;
  }

  private readLine(bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    if (isBlankLine(bytes, start, end)) {
      return;
    }
    const value = parseLine(bytes, start, end, isText);
    if (value === NOT_UTF8) {
      this.lines.reject('not-utf8', 'the text is no UTF-8');
      return;
    }
    const line = captureLine(value);
    if (line === undefined) {
      this.lines.reject('record-malformed', 'the line is no capture record');
      return;
    }
    if (this.learns && this.learnt < MOST_LEARNT) {
      this.learn(bytes, start, end, value);
    }
    if (this.begin(line, line.input, line.output)) {
      this.deliverBodies(line.input!, line.output);
    }
  }

  private learn(bytes: Uint8Array, start: number, end: number, value: unknown): void {
    this.learnt += 1;
    const template = CaptureTemplate.of(bytes, start, end, value, this.columns);
    if (template !== undefined && !this.templates.some((known) => known.equals(template))) {
      this.templates.unshift(template);
      this.templates.length = Math.min(this.templates.length, MOST_TEMPLATES);
    }
  }

  /** False where the line has to be read the other way after all. */
  private deliverMatch(bytes: Uint8Array, view: DataView, template: CaptureTemplate): boolean {
    const { from, to, input, output } = template;
    const time = this.times.read(bytes, view, from[TIME], to[TIME]);
    if (time === undefined || from[EVENT_ID] === to[EVENT_ID] || (template.hasInferenceId && from[INFERENCE_ID] === to[INFERENCE_ID])) {
      return false;
    }
    const { inputInPlace, outputInPlace } = template;
    const request = input === undefined || inputInPlace ? '' : stringOf(bytes, template, INPUT);
    const answer = output === undefined || outputInPlace ? '' : stringOf(bytes, template, OUTPUT);
    if (request === undefined || answer === undefined) {
      return false;
    }
    this.head.place(bytes, template, time);
    if (!this.begin(this.head, input, output)) {
      return true;
    }
    const { inputRows, outputRows } = template;
    if (inputInPlace && outputInPlace && inputRows.rows === 1 && outputRows.rows === 1) {
      this.deliverRow(bytes, inputRows, 0, predictionOf(bytes, outputRows, 0));
      return true;
    }
    const predictions = output && (outputInPlace ? this.answersOf(bytes, template, output.encoding) : { ...output, data: answer });
    this.deliverBodies(inputInPlace ? { bytes, flat: inputRows } : { ...input!, data: request }, predictions);
    return true;
  }

  private answersOf(bytes: Uint8Array, { outputRows }: CaptureTemplate, encoding: string): (rows: number) => Cell[] {
    return (rows) => (encoding === 'CSV' ? predictionsOf(bytes, outputRows, rows) : firstFields(bytes, outputRows));
  }

  /** Whether the bodies are wanted. */
  private begin(head: RequestHead, input: CaptureLine['input'] | CaptureTemplate['input'], output: CaptureTemplate['output']): boolean {
    const { seen } = this;
    seen.records += 1;
    if (output === undefined) {
      seen.withoutOutput += 1;
    } else {
      seen.output[output.encoding] += 1;
    }
    if (input === undefined) {
      seen.withoutInput += 1;
      this.lines.reject('request-not-recorded', 'the record holds no request body');
      return false;
    }
    seen.input[input.encoding] += 1;
    const isWanted = this.sink.begin(head, this.lines);
    seen.unwanted += isWanted ? 0 : 1;
    return isWanted;
  }

  private deliverBodies(input: CapturedBody | BodyRows, output: CapturedBody | ((rows: number) => Cell[]) | undefined): void {
    const body = 'data' in input ? this.attempt('request-unreadable', () => this.inputs.rows(input, this.columns)) : input;
    if (body === undefined) {
      return;
    }
    const count = 'flat' in body ? body.flat.rows : body.cells.length;
    const found =
      typeof output === 'function' ? output(count) : output && this.attempt('prediction-unreadable', () => this.outputs.predictions(output, count));
    this.deliver(body, this.counted(found?.length, count) ? found : undefined, count);
  }

  private deliver(body: BodyRows, predictions: readonly Cell[] | undefined, count: number): void {
    for (let index = 0; index < count; index += 1) {
      if ('flat' in body) {
        this.deliverRow(body.bytes, body.flat, index, predictions?.[index]);
      } else if (this.isComplete(body.cells[index].length, index)) {
        this.seen.rows += 1;
        this.sink.cells(body.cells[index], predictions?.[index]);
      }
    }
  }

  private deliverRow(bytes: Uint8Array, flat: FlatRows, index: number, prediction: Cell): void {
    const { row } = this;
    const first = flat.first[index];
    if (!this.isComplete(flat.count(index), index)) {
      return;
    }
    this.seen.rows += 1;
    if (first === 0) {
      this.firstRow.bytes = bytes;
      this.firstRow.starts = flat.starts;
      this.firstRow.ends = flat.ends;
      this.firstRow.numbers = flat.numbers;
      this.sink.text(this.firstRow, prediction);
      return;
    }
    for (let field = 0; field < row.length; field += 1) {
      row.starts[field] = flat.starts[first + field];
      row.ends[field] = flat.ends[first + field];
      this.numbers[field] = flat.numbers[first + field];
    }
    row.bytes = bytes;
    this.sink.text(row, prediction);
  }

  private isComplete(values: number, index: number): boolean {
    if (values !== this.columns.length) {
      this.rejections.add('column-count', `${this.lines.place} row ${index}`, `${values} values instead of ${this.columns.length}`);
      this.sink.skip?.();
      return false;
    }
    return true;
  }

  private counted(found: number | undefined, rows: number): boolean {
    if (found !== undefined && found !== rows) {
      this.lines.reject('prediction-count', `${rows} rows were sent, ${found} predictions came back`);
      return false;
    }
    return true;
  }

  private attempt<T>(cause: string, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof UnreadableBody)) {
        throw error;
      }
      this.lines.reject(cause, error.message);
      return undefined;
    }
  }
}

/** String of a slot; undefined where its escapes are wrong. */
function stringOf(bytes: Uint8Array, template: CaptureTemplate, slot: number): string | undefined {
  const text = textOf(bytes, template.from[slot], template.to[slot]);
  if (!text.includes('\\')) {
    return text;
  }
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return undefined;
  }
}

/** The head of a line that matched; its texts are made when they are asked for. */
class PlacedHead implements RequestHead {
  public time = 0;
  /** Whether all of the bytes are. */
  public isAscii = false;
  public hashes = new Int32Array(4);
  private bytes = new Uint8Array(0);
  private template: CaptureTemplate | undefined;
  private readonly idAt = { bytes: this.bytes, start: 0, end: 0 };

  public place(bytes: Uint8Array, template: CaptureTemplate, time: number): void {
    this.bytes = bytes as Uint8Array<ArrayBuffer>;
    this.template = template;
    this.time = time;
    const { hashes } = template;
    this.hashes = hashes;
    if (!template.hasInferenceId) {
      hashes[2] = hashes[0];
      hashes[3] = hashes[1];
    }
  }

  public get eventId(): string {
    return this.textOf(EVENT_ID);
  }

  public get inferenceId(): string {
    return this.textOf(this.idSlot);
  }

  public get inferenceIdAt(): PlacedText {
    const { idAt, idSlot } = this;
    const { from, to } = this.template!;
    idAt.bytes = this.bytes;
    idAt.start = from[idSlot];
    idAt.end = to[idSlot];
    return idAt;
  }

  private get idSlot(): number {
    return this.template!.hasInferenceId ? INFERENCE_ID : EVENT_ID;
  }

  private textOf(slot: number): string {
    const { from, to } = this.template!;
    return this.isAscii ? asciiOf(this.bytes, from[slot], to[slot]) : textOf(this.bytes, from[slot], to[slot]);
  }
}
