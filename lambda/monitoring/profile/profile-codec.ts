import { ByteReader, ByteWriter } from './bytes';
import { countLength } from './counts';
import { hashText } from './hash';
import { Sketch } from './sketch';
import type { Counts, Profile, Shape, WatchedFeature } from './types';

/** `MLP` and the version of the form. */
const MAGIC = [0x4d, 0x4c, 0x50, 1];
const NO_SKETCH = 0;
const PACKED_SKETCH = 1;
const SPARSE_SKETCH = 2;
const PACKED_BYTES = new Sketch().pack().length;

/** The features that a profile was made for, in brief: their names and how many counts each has. */
const fingerprint = (features: readonly WatchedFeature[]): number =>
  hashText(JSON.stringify(features.map(({ name, shape }) => [name, shape.kind, countLength(shape)]))) >>> 0;

/** Bytes of a profile, without names and shapes of its features: `features` must be the same when it is read. */
export function encodeProfile(profile: Profile, features: readonly WatchedFeature[]): Uint8Array {
  const writer = new ByteWriter();
  MAGIC.forEach((byte) => writer.byte(byte));
  writer.whole(fingerprint(features));
  writer.whole(profile.rows);
  for (const { name, shape } of features) {
    const counts = profile.features.get(name);
    if (counts === undefined) {
      throw new Error(`the profile has no counts of ${name}`);
    }
    writeCounts(writer, shape, counts);
  }
  return writer.done();
}

export function decodeProfile(bytes: Uint8Array, features: readonly WatchedFeature[]): Profile {
  const reader = new ByteReader(bytes, 'the stored profile');
  if (MAGIC.some((byte) => reader.byte() !== byte)) {
    throw new Error('the bytes are no stored profile of this version');
  }
  if (reader.whole() !== fingerprint(features)) {
    throw new Error('the stored profile was made for other features or shapes');
  }
  const rows = reader.whole();
  const decoded = new Map(features.map(({ name, shape }) => [name, readCounts(reader, shape)]));
  reader.end();
  return { rows, features: decoded };
}

function writeCounts(writer: ByteWriter, shape: Shape, counts: Counts): void {
  const names = Object.entries(counts.unlisted ?? {});
  writer.whole(counts.missing);
  writer.whole(counts.invalid);
  counts.counts.forEach((count) => writer.whole(count));
  if (shape.kind === 'numeric') {
    // A bin without values has no offset.
    counts.counts.forEach((count, bin) => count > 0 && writer.signed(counts.offsets![bin]));
    writer.whole(counts.negative ?? 0);
    writer.whole(counts.fractional ?? 0);
    if (counts.minimum !== undefined) {
      writer.double(counts.minimum);
      writer.double(counts.maximum as number);
    }
  } else {
    writer.whole(names.length);
    names.forEach(([name, count]) => {
      writer.text(name);
      writer.whole(count);
    });
  }
  writeSketch(writer, counts.sketch);
}

function readCounts(reader: ByteReader, shape: Shape): Counts {
  const missing = reader.whole();
  const invalid = reader.whole();
  const counts = Array.from({ length: countLength(shape) }, () => reader.whole());
  const present = counts.reduce((sum, count) => sum + count, 0);
  const common = { rows: present + missing + invalid, missing, invalid, counts };
  if (shape.kind === 'numeric') {
    const offsets = counts.map((count) => (count > 0 ? reader.signed() : 0));
    const [negative, fractional] = [reader.whole(), reader.whole()];
    const bounds = present > 0 ? { minimum: reader.double(), maximum: reader.double() } : {};
    return { ...common, offsets, ...bounds, negative, fractional, ...readSketch(reader) };
  }
  const names = Array.from({ length: reader.whole() }, () => [reader.text(), reader.whole()] as const);
  return { ...common, ...(names.length > 0 && { unlisted: Object.fromEntries(names) }), ...readSketch(reader) };
}

/** Few values fill few registers: then only those are written. */
function writeSketch(writer: ByteWriter, text: string | undefined): void {
  if (text === undefined) {
    writer.byte(NO_SKETCH);
    return;
  }
  const sketch = Sketch.fromText(text);
  const filled: number[] = [];
  for (let register = 0; register < sketch.registers.length; register += 1) {
    if (sketch.registers[register] > 0) {
      filled.push(register);
    }
  }
  if (3 * filled.length >= PACKED_BYTES) {
    writer.byte(PACKED_SKETCH);
    writer.raw(sketch.pack());
    return;
  }
  writer.byte(SPARSE_SKETCH);
  writer.whole(filled.length);
  filled.forEach((register) => {
    writer.whole(register);
    writer.byte(sketch.registers[register]);
  });
}

function readSketch(reader: ByteReader): { readonly sketch?: string } {
  const form = reader.byte();
  if (form === NO_SKETCH) {
    return {};
  }
  if (form === PACKED_SKETCH) {
    return { sketch: Sketch.unpack(reader.raw(PACKED_BYTES)).toText() };
  }
  const sketch = new Sketch();
  for (let left = reader.whole(); left > 0; left -= 1) {
    const register = reader.whole();
    sketch.registers[register] = reader.byte();
  }
  return { sketch: sketch.toText() };
}
