/** What a search is about, as its filter names it. */
export interface Field {
  readonly kind: 'attribute' | 'metric' | 'param' | 'tag' | 'dataset';
  readonly key: string;
}

export type Operator = '=' | '!=' | '>' | '>=' | '<' | '<=' | 'LIKE' | 'ILIKE' | 'IN' | 'NOT IN' | 'IS NULL' | 'IS NOT NULL';

export interface Condition {
  readonly field: Field;
  readonly operator: Operator;
  /** Absent for IS NULL and IS NOT NULL. */
  readonly value?: string | number | readonly string[];
}

export interface Order {
  readonly field: Field;
  readonly ascending: boolean;
  /** Only metric points of that dataset count. */
  readonly dataset?: DatasetFilter;
}

export interface DatasetFilter {
  readonly name: string;
  /** Any where left out. */
  readonly digest?: string;
}

/** `undefined` is what a record lacks. */
export type Value = string | number | undefined;

export const attribute = (key: string): Field => ({ kind: 'attribute', key });

export const PROMPT_TAG = 'mlflow.prompt.is_prompt';

export const NUMERIC_OPERATORS: ReadonlySet<string> = new Set(['=', '!=', '>', '>=', '<', '<=']);
export const TEXT_OPERATORS: ReadonlySet<string> = new Set(['=', '!=', 'LIKE', 'ILIKE']);
export const LIST_OPERATORS: ReadonlySet<string> = new Set(['IN', 'NOT IN']);
export const NULL_OPERATORS: ReadonlySet<string> = new Set(['IS NULL', 'IS NOT NULL']);
