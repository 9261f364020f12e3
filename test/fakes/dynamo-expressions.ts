export type Item = Record<string, unknown>;

export interface Expressions {
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Item;
}

const TOKENS = /\s*(<>|<=|>=|[=<>(),+\-]|[#:]?[A-Za-z_0-9]+(?:\[\d+\]|\.[#A-Za-z_][A-Za-z_0-9]*)*)/y;

const tokenize = (text: string): string[] => {
  const tokens: string[] = [];
  for (TOKENS.lastIndex = 0; TOKENS.lastIndex < text.trimEnd().length; ) {
    const found = TOKENS.exec(text);
    if (!found) throw new Error(`not understood: ${text}`);
    tokens.push(found[1]);
  }
  return tokens;
};

const pathOf = (place: string, names: Record<string, string> = {}): (string | number)[] =>
  place.split('.').flatMap((part) => {
    const [name, ...indexes] = part.split('[');
    if (name.startsWith('#') && names[name] === undefined) throw new Error(`no name for ${name}`);
    return [names[name] ?? name, ...indexes.map((index) => Number.parseInt(index, 10))];
  });

const read = (item: Item, path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((value, name) => (value as Item | undefined)?.[name as string], item);

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const comparable = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number';
const bytesOf = (value: unknown): unknown => (typeof value === 'string' ? Buffer.from(value).toString('latin1') : value);
const less = (a: unknown, b: unknown): boolean => comparable(a) && comparable(b) && typeof a === typeof b && bytesOf(a)! < bytesOf(b)!;
const sizeOf = (value: unknown): number =>
  typeof value === 'string' ? Buffer.byteLength(value) : ((value as { length?: number }).length ?? Object.keys(value as object).length);

/** Conditions and updates of DynamoDB's expression language over plain values. What it does not know it refuses. */
class Reader {
  private readonly tokens: string[];
  private at = 0;

  constructor(
    text: string,
    private readonly item: Item,
    private readonly given: Expressions,
  ) {
    this.tokens = tokenize(text);
  }

  condition(): boolean {
    const result = this.or();
    if (this.at < this.tokens.length) throw new Error(`not understood from: ${this.tokens.slice(this.at).join(' ')}`);
    return result;
  }

  updates(): Item {
    const next = structuredClone(this.item);
    while (this.at < this.tokens.length) {
      const clause = this.take();
      do {
        const path = this.path(this.take());
        if (clause === 'REMOVE') this.place(next, path, undefined);
        else if (clause === 'SET') {
          this.expect('=');
          this.place(next, path, this.sum());
        } else if (clause === 'ADD') this.place(next, path, ((read(next, path) as number | undefined) ?? 0) + (this.operand() as number));
        else throw new Error(`not stubbed: ${clause}`);
      } while (this.skip(','));
    }
    return next;
  }

  private or(): boolean {
    let result = this.and();
    while (this.skip('OR')) result = this.and() || result;
    return result;
  }

  private and(): boolean {
    let result = this.not();
    while (this.skip('AND')) result = this.not() && result;
    return result;
  }

  private not(): boolean {
    if (this.skip('NOT')) return !this.not();
    if (this.tokens[this.at] === '(') {
      this.expect('(');
      const result = this.or();
      this.expect(')');
      return result;
    }
    return this.comparison();
  }

  private comparison(): boolean {
    const name = this.tokens[this.at];
    if (this.tokens[this.at + 1] === '(' && name !== 'size') return this.predicate(this.take());
    const left = this.operand();
    const operator = this.take();
    if (operator === 'IN') return this.list().some((value) => same(left, value));
    const right = this.operand();
    if (operator === 'BETWEEN') {
      this.expect('AND');
      const high = this.operand();
      return !less(left, right) && !less(high, left) && comparable(left);
    }
    if (operator === '=') return left !== undefined && same(left, right);
    if (operator === '<>') return !same(left, right);
    if (operator === '<') return less(left, right);
    if (operator === '<=') return less(left, right) || same(left, right);
    if (operator === '>') return less(right, left);
    if (operator === '>=') return less(right, left) || same(left, right);
    throw new Error(`not stubbed: ${operator}`);
  }

  private predicate(name: string): boolean {
    const [first, second] = this.list();
    if (name === 'attribute_exists') return first !== undefined;
    if (name === 'attribute_not_exists') return first === undefined;
    if (name === 'begins_with') return typeof first === 'string' && first.startsWith(second as string);
    if (name === 'contains') return (typeof first === 'string' || Array.isArray(first)) && first.includes(second as never);
    throw new Error(`not stubbed: ${name}`);
  }

  private list(): unknown[] {
    this.expect('(');
    const values = [this.operand()];
    while (this.skip(',')) values.push(this.operand());
    this.expect(')');
    return values;
  }

  private sum(): unknown {
    const left = this.operand();
    if (this.skip('+')) return (left as number) + (this.operand() as number);
    if (this.skip('-')) return (left as number) - (this.operand() as number);
    return left;
  }

  private operand(): unknown {
    const token = this.take();
    if (this.tokens[this.at] === '(') {
      const [first, second] = this.list() as [unknown, unknown];
      if (token === 'if_not_exists') return first ?? second;
      if (token === 'size') return sizeOf(first);
      if (token === 'list_append') return [...(first as unknown[]), ...(second as unknown[])];
      throw new Error(`not stubbed: ${token}`);
    }
    if (!token.startsWith(':')) return read(this.item, this.path(token));
    const value = this.given.ExpressionAttributeValues?.[token];
    if (value === undefined) throw new Error(`no value for ${token}`);
    return value;
  }

  private place(item: Item, path: readonly (string | number)[], value: unknown): void {
    const parent = read(item, path.slice(0, -1)) as Item | undefined;
    if (parent === undefined) throw new Error('The document path provided in the update expression is invalid for update');
    if (value === undefined) delete parent[path.at(-1)!];
    else parent[path.at(-1)!] = structuredClone(value);
  }

  private path(token: string): (string | number)[] {
    return pathOf(token, this.given.ExpressionAttributeNames);
  }

  private take(): string {
    const token = this.tokens[this.at];
    if (token === undefined) throw new Error('the expression ends too early');
    this.at += 1;
    return token;
  }

  private skip(token: string): boolean {
    if (this.tokens[this.at] !== token) return false;
    this.at += 1;
    return true;
  }

  private expect(token: string): void {
    if (!this.skip(token)) throw new Error(`expected ${token}, found ${this.tokens[this.at]}`);
  }
}

export const holds = (expression: string | undefined, item: Item, given: Expressions): boolean =>
  expression === undefined || new Reader(expression, item, given).condition();

export const updated = (expression: string, item: Item, given: Expressions): Item => new Reader(expression, item, given).updates();

export const projected = (expression: string | undefined, item: Item, given: Expressions): Item => {
  if (expression === undefined) return item;
  const result: Item = {};
  for (const place of expression.split(',')) {
    const path = pathOf(place.trim(), given.ExpressionAttributeNames);
    const value = read(item, path);
    if (value === undefined) continue;
    let parent = result;
    for (const name of path.slice(0, -1)) parent = (parent[name] ??= {}) as Item;
    parent[path.at(-1)!] = value;
  }
  return result;
};
