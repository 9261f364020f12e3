import { invalid } from '../errors';
import type { Operand } from './clauses';
import { LIST_OPERATORS, type Condition, type Operator } from './query';

const isQuoted = (text: string, quote: string): boolean => text.length >= 2 && text.startsWith(quote) && text.endsWith(quote);

const withoutQuotes = (text: string): string => (isQuoted(text, "'") || isQuoted(text, '"') ? text.slice(1, -1) : text);

export const withoutBackticks = (text: string): string => (isQuoted(text, '`') ? text.slice(1, -1) : text);

/** Key of an identifier: quotes and backticks around all of it do not belong to it. */
export const plainKey = (text: string): string => withoutBackticks(withoutQuotes(text));

export const isText = ({ kind }: Operand): boolean => kind === 'single' || kind === 'identifier';

export const isNumber = ({ kind }: Operand): boolean => kind === 'integer' || kind === 'float';

/** Quotes around a text end it; inside they stay as they are, doubled ones too. */
export const textOf = ({ text }: Operand): string => {
  if (isQuoted(text, "'") || isQuoted(text, '"')) {
    return text.slice(1, -1);
  }
  throw invalid(
    `Parameter value is either not quoted or unidentified quote types used for string value ${text}. Use either single or double quotes.`,
  );
};

const ELEMENT = /\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|(,)|([^\s,'"]+))\s*/suy;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', "'": "'", '"': '"', '\\': '\\', '\n': '' };
const unescaped = (text: string): string => text.replace(/\\(.)/gsu, (all, letter: string) => ESCAPES[letter] ?? all);

/** Texts of a list; unlike elsewhere a backslash escapes, and texts side by side are one. */
export const listOf = ({ text }: Operand): readonly string[] => {
  const inside = text.slice(1, -1);
  const elements: string[] = [];
  let open = true;
  ELEMENT.lastIndex = 0;
  while (ELEMENT.lastIndex < inside.length) {
    const found = ELEMENT.exec(inside);
    if (found === null || (found[3] !== undefined && open)) {
      if (inside.trim() === '') {
        break;
      }
      throw invalid('While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.');
    }
    const [, single, double, comma, other] = found;
    if (other !== undefined) {
      throw invalid(
        `While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ${text}`,
      );
    }
    if (comma === undefined) {
      const value = unescaped(single ?? double);
      elements.push(open ? value : elements.pop() + value);
    }
    open = comma !== undefined;
  }
  if (elements.length === 0) {
    throw invalid('While parsing a list in the query, expected a non-empty list of string values, but got empty list');
  }
  return elements;
};

/** A list stands behind IN and NOT IN, and nowhere else. */
export const checkList = (operator: Operator, value: Condition['value']): Operator => {
  if (Array.isArray(value) !== LIST_OPERATORS.has(operator)) {
    throw invalid(`Invalid comparison clause. Comparator '${operator}' does not go with ${Array.isArray(value) ? 'a list' : 'a single value'}`);
  }
  return operator;
};

/** Values as Python shows a set of them; MLflow shows its in any order. */
export const setOf = (values: Iterable<string>): string => `{${[...values].map((value) => `'${value}'`).join(', ')}}`;

export const listed = (values: readonly string[]): string => `[${values.map((value) => `'${value}'`).join(', ')}]`;
