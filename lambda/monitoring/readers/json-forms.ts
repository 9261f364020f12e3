import { EXACT_DIGITS, POWERS } from './bytes';
import type { FlatRows } from './flat-rows';

const SPACE = 32;
const QUOTE = 34;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const BACKSLASH = 92;
const LETTER_E = 101;
const LETTER_F = 102;
const LETTER_N = 110;
const LETTER_T = 116;

interface Form {
  readonly prefix: Uint8Array;
  readonly open: Uint8Array;
  readonly close: Uint8Array;
  readonly suffix: Uint8Array;
  /** Whether a row has several values. */
  readonly isList: boolean;
  /** What stands before each value of a row: the name of its column, in objects. */
  readonly names?: readonly Uint8Array[];
}

/** JSON within a JSON string, as it stands there. */
const escaped = (json: string): Uint8Array => new TextEncoder().encode(json.replaceAll('"', '\\"'));

const form = (prefix: string, open: string, close: string, suffix: string, names?: readonly string[]): Form => ({
  ...{ prefix: escaped(prefix), open: escaped(open), close: escaped(close), suffix: escaped(suffix) },
  isList: open.endsWith('[') || names !== undefined,
  ...(names && { names: names.map((name, index) => escaped(`${index === 0 ? '' : ','}${name}`)) }),
});

const WORDS = { t: new TextEncoder().encode('true'), f: new TextEncoder().encode('false'), n: new TextEncoder().encode('null') };

/** Reads JSON bodies of the commonest forms from the bytes of the string that holds them; whatever else they hold is left to JSON.parse. */
export class JsonForms {
  /** Of which body the last one had the form: the next one is likely to have it too. */
  private last = 0;

  private constructor(
    private readonly forms: readonly Form[],
    private readonly onlyNumbers: boolean,
  ) {}

  /** Rows of requests. A row is an array of values, or an object of the columns in their order. */
  public static ofRequests(columns: readonly string[]): JsonForms {
    const lists = [['[', ']'], ['{"features":[', ']}']].filter(([open]) => open === '[' || columns[0] !== 'features');
    const wrappers = [['{"instances":[', ']}'], ['[', ']'], ['{"inputs":[', ']}'], ['', '']];
    const arrays = wrappers.flatMap(([prefix, suffix]) => lists.map(([open, close]) => [prefix, open, close, suffix] as const));
    const isPlain = columns.length > 0 && columns.every((name) => JSON.stringify(name) === `"${name}"`) && new Set(columns).size === columns.length;
    const names = columns.map((name) => `"${name}":`);
    return new JsonForms(
      [' ', ''].flatMap((space) => {
        const spaced = (text: string): string => text.replaceAll(':', `:${space}`);
        const objects = isPlain ? wrappers.map(([prefix, suffix]) => form(spaced(prefix), '{', '}', suffix, names.map((name) => name + space))) : [];
        return [...arrays.map(([prefix, open, close, suffix]) => form(spaced(prefix), spaced(open), close, suffix)), ...objects];
      }),
      false,
    );
  }

  /** Predictions, each a row of its own. */
  public static ofAnswers(): JsonForms {
    const values = [['{"score":', '}'], ['', ''], ['[', ']'], ['{"prediction":', '}'], ['{"predicted_label":', '}'], ['{"predicted_value":', '}']];
    const wrappers = [['{"predictions":[', ']}'], ['[', ']']];
    const spaced = (text: string, space: string): string => text.replaceAll(':', `:${space}`);
    return new JsonForms(
      [' ', ''].flatMap((space) =>
        wrappers.flatMap(([prefix, suffix]) => values.map(([open, close]) => form(spaced(prefix, space), spaced(open, space), close, suffix))),
      ),
      true,
    );
  }

  /** Takes the rows of the body in the string whose content begins at `from`; answers the index of the closing quote, -1 where it is of no form. */
  public scan(bytes: Uint8Array, from: number, rows: FlatRows): number {
    for (let turn = 0; turn < this.forms.length; turn += 1) {
      const index = (this.last + turn) % this.forms.length;
      const end = this.scanForm(bytes, from, this.forms[index], rows);
      if (end >= 0) {
        this.last = index;
        return end;
      }
    }
    return -1;
  }

  private scanForm(bytes: Uint8Array, from: number, { prefix, open, close, suffix, isList, names }: Form, rows: FlatRows): number {
    let index = behind(bytes, from, prefix);
    rows.clear();
    while (index >= 0) {
      index = behind(bytes, index, open);
      index = index < 0 ? -1 : this.scanRow(bytes, index, rows, isList, names);
      index = index < 0 ? -1 : behind(bytes, index, close);
      if (index < 0) {
        return -1;
      }
      rows.closeRow();
      if (bytes[index] !== COMMA || prefix.length === 0) {
        const end = behind(bytes, index, suffix);
        return end >= 0 && bytes[end] === QUOTE ? end : -1;
      }
      index += bytes[index + 1] === SPACE ? 2 : 1;
    }
    return -1;
  }

  /** Index behind the row's values, -1 where there is another one. */
  private scanRow(bytes: Uint8Array, from: number, rows: FlatRows, isList: boolean, names: readonly Uint8Array[] | undefined): number {
    let index = from;
    for (let field = 0; ; field += 1) {
      if (names !== undefined) {
        index = field < names.length ? nameBehind(bytes, index, names[field]) : -1;
      }
      index = index < 0 ? -1 : this.scanValue(bytes, index, rows);
      if (index < 0) {
        return -1;
      }
      if (bytes[index] !== COMMA || !isList) {
        return names === undefined || field === names.length - 1 ? index : -1;
      }
      if (names === undefined) {
        index += bytes[index + 1] === SPACE ? 2 : 1;
      }
    }
  }

  /** Index behind the value, -1 where it is nested or holds escapes. */
  private scanValue(bytes: Uint8Array, from: number, rows: FlatRows): number {
    const byte = bytes[from];
    if ((byte >= ZERO && byte <= ZERO + 9) || byte === MINUS) {
      return scanNumber(bytes, from, rows);
    }
    if (this.onlyNumbers) {
      return -1;
    }
    if (byte === BACKSLASH && bytes[from + 1] === QUOTE) {
      let index = from + 2;
      while (bytes[index] >= SPACE && bytes[index] !== BACKSLASH && bytes[index] !== QUOTE) {
        index += 1;
      }
      rows.addField(from + 2, index, NaN);
      return bytes[index] === BACKSLASH && bytes[index + 1] === QUOTE ? index + 2 : -1;
    }
    const word = byte === LETTER_T ? WORDS.t : byte === LETTER_F ? WORDS.f : byte === LETTER_N ? WORDS.n : undefined;
    const end = word === undefined ? -1 : behind(bytes, from, word);
    if (end >= 0) {
      // As cells these are no value, 1 and 0.
      rows.addField(byte === LETTER_N ? end : from, end, byte === LETTER_N ? NaN : Number(byte === LETTER_T));
    }
    return end;
  }
}

function scanNumber(bytes: Uint8Array, from: number, rows: FlatRows): number {
  let index = bytes[from] === MINUS ? from + 1 : from;
  const isNegative = index > from;
  const first = index;
  let mantissa = 0;
  let digit = bytes[index] - ZERO;
  while (digit >= 0 && digit <= 9) {
    mantissa = (Math.imul(mantissa, 10) + digit) | 0;
    index += 1;
    digit = bytes[index] - ZERO;
  }
  let digits = index - first;
  // JSON has no numbers like 007.
  if (digits === 0 || (digits > 1 && bytes[first] === ZERO)) {
    return -1;
  }
  let places = 0;
  if (bytes[index] === POINT) {
    index += 1;
    const point = index;
    digit = bytes[index] - ZERO;
    while (digit >= 0 && digit <= 9) {
      mantissa = (Math.imul(mantissa, 10) + digit) | 0;
      index += 1;
      digit = bytes[index] - ZERO;
    }
    places = index - point;
    digits += places;
    if (places === 0) {
      return -1;
    }
  }
  let isKnown = digits <= EXACT_DIGITS;
  if ((bytes[index] | 32) === LETTER_E) {
    isKnown = false;
    index += bytes[index + 1] === MINUS || bytes[index + 1] === PLUS ? 2 : 1;
    const exponent = index;
    while (bytes[index] >= ZERO && bytes[index] <= ZERO + 9) {
      index += 1;
    }
    // Large ones are beyond what text says of a double.
    if (index === exponent || index - exponent > 2) {
      return -1;
    }
  }
  if (digits > 200) {
    return -1;
  }
  const size = isKnown ? mantissa / POWERS[places] : NaN;
  rows.addField(from, index, (isNegative ? -size : size) + 0);
  return index;
}

/** Index behind the piece, -1 where the bytes differ from it. */
function behind(bytes: Uint8Array, from: number, piece: Uint8Array): number {
  for (let index = 0; index < piece.length; index += 1) {
    if (bytes[from + index] !== piece[index]) {
      return -1;
    }
  }
  return from + piece.length;
}

/** The same of a column's name, whose comma a space may follow. */
function nameBehind(bytes: Uint8Array, from: number, name: Uint8Array): number {
  if (name[0] === COMMA && bytes[from] === COMMA && bytes[from + 1] === SPACE) {
    for (let index = 1; index < name.length; index += 1) {
      if (bytes[from + 1 + index] !== name[index]) {
        return -1;
      }
    }
    return from + 1 + name.length;
  }
  return behind(bytes, from, name);
}
