const SEQUENCE = 0x30;
const INTEGER = 0x02;
/** Bytes of each of the two numbers of a signature on the curve P-256. */
const NUMBER_BYTES = 32;

/** A signature as AWS KMS writes it (DER: a sequence of two integers), as JSON Web Tokens want it: both numbers, 32 bytes each. */
export const joseSignature = (der: Uint8Array): Buffer => {
  const bytes = Buffer.from(der);
  // Both numbers are at most 33 bytes long: every length fits into one byte.
  if (bytes[0] !== SEQUENCE || bytes[1] !== bytes.length - 2) throw malformed();
  const [r, afterR] = number(bytes, 2);
  const [s, end] = number(bytes, afterR);
  if (end !== bytes.length) throw malformed();
  return Buffer.concat([r, s]);
};

const number = (bytes: Buffer, at: number): [value: Buffer, end: number] => {
  const length = bytes[at + 1];
  const end = at + 2 + length;
  if (bytes[at] !== INTEGER || !(length > 0) || end > bytes.length) throw malformed();
  const value = bytes.subarray(at + 2, end);
  // A leading zero keeps the number positive where its first bit is set.
  const first = value.findIndex((byte) => byte !== 0);
  const digits = first === -1 ? Buffer.alloc(0) : value.subarray(first);
  if (digits.length > NUMBER_BYTES || value[0] >= 0x80) throw malformed();
  return [Buffer.concat([Buffer.alloc(NUMBER_BYTES - digits.length), digits]), end];
};

const malformed = (): Error => new Error('this is no ECDSA signature in DER');
