import * as fc from 'fast-check';
import { fourDigits, isMissing, parseNumber, textOf } from '../../../../lambda/monitoring/readers/bytes';
import { MISSING_WORDS } from '../../../../lambda/monitoring/values';

const encoded = (text: string): { bytes: Uint8Array; start: number; end: number } => {
  const bytes = new TextEncoder().encode(`7${text}7`);
  return { bytes, start: 1, end: bytes.length - 1 };
};

const number = (text: string): number => {
  const { bytes, start, end } = encoded(text);
  return parseNumber(bytes, start, end);
};

const expected = (text: string): number => (text.trim() === '' ? NaN : Number(text.trim()));

const numeral = fc.stringMatching(/^[ ]?[+-]?[0-9]{0,20}\.?[0-9]{0,20}([eE][+-]?[0-9]{1,3})?[ ]?$/);

describe('numbers from bytes', () => {
  test.each([
    ...['0', '-0', '1', '-1.5', '.5', '5.', '.', '-', '+', '', ' ', '+1', '1e5', '1E-5', '1e400', '1e-400', '1e308', 'NaN', 'Infinity', '-Infinity'],
    ...['inf', '0x10', '0b11', '1_000', '1,5', '1.2.3', '--1', '0.1', '4.35', '1 2', '\u00a01\u00a0', '\uFEFF1', '１', '0.30000000000000004'],
    ...['9007199254740993', '9007199254740992', '9007199254740991', '123456789012345678', '1234567890123456789', '179769313486231570000000'],
  ])('%j is what Number answers', (text) => {
    expect(number(text)).toBe(expected(text));
  });

  test('every numeral is what Number answers, to the last bit', () => {
    fc.assert(fc.property(numeral, (text) => Object.is(number(text), expected(text))), { numRuns: 20_000 });
  });

  test('every double is read back', () => {
    const double = fc.double({ noNaN: true });
    fc.assert(
      fc.property(double, (value) => Object.is(number(String(value)), Number(String(value)))),
      { numRuns: 20_000 },
    );
  });

  test('every text is what Number answers', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => Object.is(number(text), expected(text))),
      { numRuns: 5_000 },
    );
  });
});

describe('missing values from bytes', () => {
  const missing = (text: string): boolean => {
    const { bytes, start, end } = encoded(text);
    return isMissing(bytes, start, end);
  };
  const word = fc
    .tuple(fc.constantFrom(...MISSING_WORDS, 'nano', '<nan>', '0', 'none!'), fc.constantFrom('', ' ', '\t', '\u00a0', '\u3000 ', 'x'), fc.boolean())
    .map(([name, space, upper]) => space + (upper ? name.toUpperCase() : name) + space);

  test('the words are the same as for text', () => {
    fc.assert(
      fc.property(fc.oneof(word, fc.string({ unit: 'binary', maxLength: 5 })), (text) => {
        return missing(text) === MISSING_WORDS.has(text.trim().toLowerCase());
      }),
      { numRuns: 10_000 },
    );
  });
});

test('text is decoded as UTF-8', () => {
  const { bytes, start, end } = encoded('Zoë ☂');
  expect(textOf(bytes, start, end)).toBe('Zoë ☂');
  expect(textOf(Uint8Array.of(65, 0xff, 66), 0, 3)).toBe('A\uFFFDB');
});

test('four digits are told from everything else that four bytes may be', () => {
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 44, max: 63 }), fc.integer({ min: 48, max: 57 }));
  fc.assert(
    fc.property(fc.tuple(byte, byte, byte, byte), (bytes) => {
      const text = String.fromCharCode(...bytes);
      return fourDigits(Buffer.from(bytes).readInt32LE()) === (/^[0-9]{4}$/.test(text) ? Number(text) : -1);
    }),
    { numRuns: 20_000 },
  );
});
