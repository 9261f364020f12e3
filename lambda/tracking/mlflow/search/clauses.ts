import { invalid } from '../errors';
import { isBlank, tokenize, type Token } from './tokens';

/** One comparison as it is written, before it is known which entity it is about. */
export interface Clause {
  /** Text of the identifier with its quotes, or of the literal that stands where an identifier should. */
  readonly left: string;
  readonly leftIsIdentifier: boolean;
  /** As typed; `IS NULL`, `IS NOT NULL`, `NOT IN` in capitals. */
  readonly operator: string;
  /** Absent for IS NULL and IS NOT NULL. */
  readonly right?: Operand;
}

export interface Operand {
  readonly kind: 'integer' | 'float' | 'single' | 'identifier' | 'list';
  readonly text: string;
}

/** Words that MLflow's grammar takes as keywords even after a dot; such keys have to be quoted. */
const NEVER_NAMES = new Set(['CASE', 'IN', 'VALUES', 'USING', 'FROM', 'AS']);
/** In characters; a list of some ten thousand ids. */
const LONGEST_FILTER = 500_000;
const LONGEST_ORDER = 2000;
/** A message need not repeat a whole text that is no filter at all. */
const MOST_STRANGERS = 50;

const SIGNS = new Set(['-', '/', '+', '@', '%', '*']);
const PATTERNS = new Set(['LIKE', 'ILIKE', 'RLIKE']);

class ClauseReader {
  private at = 0;
  /** Where each parenthesis that opens is closed. */
  private readonly closes = new Map<number, number>();

  constructor(
    private readonly text: string,
    private readonly tokens: readonly Token[],
    private readonly looseKeys = false,
  ) {
    const open: number[] = [];
    for (const [at, { kind }] of tokens.entries()) {
      if (kind === 'open') open.push(at);
      if (kind === 'close' && open.length > 0) this.closes.set(open.pop()!, at);
    }
  }

  /** Clauses, and what is none. */
  read(): { clauses: Clause[]; strangers: string[] } {
    const clauses: Clause[] = [];
    const strangers: string[] = [];
    for (this.skipSpace(); this.at < this.tokens.length; this.skipSpace()) {
      if (this.isWord('AND')) {
        this.at++;
        continue;
      }
      const start = this.at;
      const clause = this.clause();
      if (clause) {
        clauses.push(clause);
      } else {
        this.at = start;
        strangers.push(this.list()?.text ?? this.identifier() ?? this.tokens[this.at++].text);
      }
    }
    return { clauses, strangers };
  }

  isOneIdentifier(): boolean {
    return this.identifier() !== undefined && this.at === this.tokens.length;
  }

  private clause(): Clause | undefined {
    const left = (this.looseKeys ? this.looseIdentifier() : this.identifier()) ?? this.literal();
    if (left === undefined) {
      return undefined;
    }
    const leftIsIdentifier = typeof left === 'string';
    const text = leftIsIdentifier ? left : left.text;
    this.skipSpace();
    const operator = this.operator();
    if (operator === undefined || operator === 'IS NULL' || operator === 'IS NOT NULL') {
      return operator && { left: text, leftIsIdentifier, operator };
    }
    this.skipSpace();
    const right = this.operand();
    const wantsList = /^(NOT )?IN$/i.test(operator);
    return right && (!wantsList || right.kind === 'list') ? { left: text, leftIsIdentifier, operator, right } : undefined;
  }

  private operator(): string | undefined {
    const token = this.tokens[this.at];
    if (token?.kind === 'operator' || (token?.kind === 'word' && (PATTERNS.has(token.text.toUpperCase()) || this.isWord('IN')))) {
      this.at++;
      return token.text;
    }
    const start = this.at;
    const words = [this.word(), this.word(), this.word()].map((word) => word?.toUpperCase());
    const [first, second, third] = words;
    const takes = (count: number, name: string) => {
      this.at = start + 2 * count - 1;
      return name;
    };
    if (first === 'IS' && second === 'NULL') {
      return takes(2, 'IS NULL');
    }
    if (first === 'IS' && second === 'NOT' && third === 'NULL') {
      // MLflow takes the last two words for one, with exactly one space between them.
      return this.tokens[start + 3].text === ' ' ? takes(3, 'IS NOT NULL') : undefined;
    }
    if (first === 'NOT' && second !== undefined && (second === 'IN' || PATTERNS.has(second))) {
      return takes(2, `NOT ${second}`);
    }
    this.at = start;
    return undefined;
  }

  private operand(): Operand | undefined {
    const name = this.identifier();
    return name === undefined ? (this.literal() ?? this.list()) : { kind: 'identifier', text: name };
  }

  /** Parts with dots between them; spaces may stand around a dot and belong to the key. */
  private identifier(): string | undefined {
    const first = this.tokens[this.at];
    if (first === undefined || !isPart(first)) {
      return undefined;
    }
    let last = this.at;
    for (let next = this.afterSpace(last + 1); this.tokens[next]?.kind === 'dot'; next = this.afterSpace(last + 1)) {
      last = next;
      const part = this.tokens[this.afterSpace(next + 1)];
      if (part && (isPart(part) || part.kind === 'single') && !NEVER_NAMES.has(part.text.toUpperCase())) {
        last = this.afterSpace(next + 1);
      }
    }
    this.at = last + 1;
    return this.slice(first, this.tokens[last]);
  }

  /** Identifiers with signs between them, such as `metrics.val-loss`. */
  private looseIdentifier(): string | undefined {
    const first = this.tokens[this.at];
    let found = this.identifier();
    while (found !== undefined && SIGNS.has(this.tokens[this.afterSpace(this.at)]?.text)) {
      const before = this.at;
      this.at = this.afterSpace(this.afterSpace(this.at) + 1);
      if (this.identifier() === undefined) {
        this.at = before;
        return found;
      }
      found = this.slice(first, this.tokens[this.at - 1]);
    }
    return found;
  }

  private literal(): Operand | undefined {
    const token = this.tokens[this.at];
    if (token?.kind === 'integer' || token?.kind === 'float' || token?.kind === 'single') {
      this.at++;
      return { kind: token.kind, text: token.text };
    }
    return undefined;
  }

  private list(): Operand | undefined {
    const open = this.tokens[this.at];
    if (open?.kind !== 'open') {
      return undefined;
    }
    const end = this.closes.get(this.at);
    if (end === undefined) {
      return undefined;
    }
    this.at = end + 1;
    return { kind: 'list', text: this.slice(open, this.tokens[end]) };
  }

  private word(): string | undefined {
    this.skipSpace();
    const token = this.tokens[this.at];
    if (token?.kind !== 'word') {
      return undefined;
    }
    this.at++;
    return token.text;
  }

  private isWord(word: string): boolean {
    const token = this.tokens[this.at];
    return token?.kind === 'word' && token.text.toUpperCase() === word && this.tokens[this.at + 1]?.kind !== 'dot';
  }

  private skipSpace(): void {
    this.at = this.afterSpace(this.at);
  }

  private afterSpace(at: number): number {
    return this.tokens[at]?.kind === 'space' ? at + 1 : at;
  }

  private slice(first: Token, last: Token): string {
    return this.text.slice(first.at, last.at + last.text.length);
  }
}

const isPart = (token: Token): boolean => token.kind === 'word' || token.kind === 'backtick' || token.kind === 'double';

/** Comparisons of a filter; `describe` says what is wrong with what is none. With `looseKeys` a key may hold signs without being quoted. */
export const readClauses = (text: string, describe: (strangers: readonly string[]) => string, looseKeys = false): Clause[] => {
  if (text === '') {
    return [];
  }
  if (text.length > LONGEST_FILTER) {
    throw invalid(`Invalid filter: it has ${text.length} characters, at most ${LONGEST_FILTER} are read`);
  }
  if (isBlank(text)) {
    throw invalid(`Invalid filter '${text}'. Could not be parsed.`);
  }
  const tokens = tokenize(text);
  const end = tokens.find((token) => token.kind === 'end');
  if (end && !isBlank(text.slice(end.at + 1))) {
    throw invalid(`Search filter contained multiple expression '${text}'. Provide AND-ed expression list.`);
  }
  const { clauses, strangers } = new ClauseReader(text, tokens, looseKeys).read();
  if (strangers.length > 0) {
    throw invalid(describe(strangers.slice(0, MOST_STRANGERS)));
  }
  return clauses;
};

/** An order as it is written: an identifier alone, or one with a word behind it. */
export const readOrder = (text: string): { identifier: string; direction?: string } | undefined => {
  if (text.length > LONGEST_ORDER) {
    return undefined;
  }
  if (isIdentifier(text)) {
    return { identifier: text };
  }
  const [, identifier, direction] = /^(\S(?:.*?\S)?)\s+(\p{L}+)$/su.exec(text) ?? [];
  return identifier !== undefined && isIdentifier(identifier) ? { identifier, direction } : undefined;
};

const isIdentifier = (text: string): boolean => new ClauseReader(text, tokenize(text)).isOneIdentifier();
