type Json = Record<string, unknown>;

/**
 * A request. In its body `{"$repeat": [text, n]}`, `{"$times": [value, n]}` and `{"$concat": […]}` stand for what is long, `${name}` for what an
 * answer held.
 */
export interface Step {
  /** Method and path below /api/2.0/mlflow/. */
  readonly call: string;
  readonly body?: unknown;
  readonly raw?: string;
  readonly contentType?: string;
  /** Names for what the answer holds at these places. */
  readonly save?: Readonly<Record<string, string>>;
  /** Places of texts that the server makes up. */
  readonly generated?: readonly string[];
  /** Whether the status alone is compared. */
  readonly status?: boolean;
  /** Whether the error code alone is compared; says why. */
  readonly code?: string;
  /** Why the answer is another one here. */
  readonly differs?: string;
}

export interface Recorded {
  readonly status: number;
  readonly body?: Json;
  readonly text?: string;
}

type Fill = (text: string) => string;

const long: Readonly<Record<string, (value: never, fill: Fill) => unknown>> = {
  $repeat: ([text, count]: [string, number]) => text.repeat(count),
  $times: ([value, count]: [unknown, number], fill) => Array.from({ length: count }, () => expanded(value, fill)),
  $concat: (parts: unknown[], fill) => parts.map((part) => expanded(part, fill)).join(''),
};

const expanded = (value: unknown, fill: Fill): unknown => {
  if (typeof value === 'string') return fill(value);
  if (Array.isArray(value)) return value.map((entry) => expanded(entry, fill));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [name, first] = entries[0] ?? [''];
  if (name in long) return long[name](first as never, fill);
  return Object.fromEntries(entries.map(([key, entry]) => [key, expanded(entry, fill)]));
};

const at = (value: unknown, place: string): unknown =>
  place === '' ? value : place.split('.').reduce<unknown>((found, name) => (found as Json | undefined)?.[name], value);

const SERVER_TIMES = new Set([
  'creation_time',
  'last_update_time',
  'creation_timestamp_ms',
  'last_updated_timestamp_ms',
  'creation_timestamp',
  'last_updated_timestamp',
]);
/** Lists without an order of their own. */
const UNORDERED = new Set(['tags', 'params', 'metrics', 'dataset_inputs', 'model_outputs', 'model_inputs']);
const sorted = (list: readonly unknown[]): unknown[] => [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
const inOrder = (value: Json): Json => Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));

/** One group of requests: what an answer holds is there for the requests after it. Ids and times of the server are taken out of answers. */
export class Script {
  private readonly values = new Map<string, string>();

  request(step: Step): { method: string; path: string; headers: Record<string, string>; body?: string } {
    const fill = (text: string): string => text.replace(/\$\{(\w+)\}/g, (_, name: string) => this.values.get(name) ?? `absent-${name}`);
    const [method, place] = step.call.split(/ (.*)/s);
    const sent = step.body === undefined ? undefined : JSON.stringify(expanded(step.body, fill));
    const body = step.raw === undefined ? sent : fill(step.raw);
    return {
      method,
      path: `/api/2.0/mlflow/${fill(place)}`,
      headers: body === undefined ? {} : { 'content-type': step.contentType ?? 'application/json' },
      body,
    };
  }

  answered(step: Step, status: number, text: string): Recorded {
    if (step.status) return { status };
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return { status, text };
    }
    for (const [name, place] of Object.entries(step.save ?? {})) this.values.set(name, String(at(body, place)));
    for (const place of step.generated ?? []) {
      const end = place.lastIndexOf('.');
      const holder = at(body, place.slice(0, Math.max(end, 0))) as Json | undefined;
      if (typeof holder?.[place.slice(end + 1)] === 'string') holder[place.slice(end + 1)] = 'GENERATED';
    }
    return { status, body: this.same(body) as Json };
  }

  private same(value: unknown, key = ''): unknown {
    if (SERVER_TIMES.has(key) && typeof value === 'number') return 'TIME';
    if (key === 'next_page_token') return 'TOKEN';
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) {
      const list = value.map((entry) => this.same(entry));
      return UNORDERED.has(key) ? sorted(list) : list;
    }
    if (typeof value !== 'object' || value === null) return value;
    const rest = Object.entries(value).filter(([name]) => name !== 'sqlstate' && name !== 'error_class');
    return inOrder(Object.fromEntries(rest.map(([name, entry]) => [name, this.same(entry, name)])));
  }

  private text(text: string): string {
    let same = text.replace(/(already exists\.) Error: .*/s, '$1');
    for (const [name, value] of this.values) {
      if (value === 'undefined') continue;
      same = value.length > 8 ? same.replaceAll(value, `\${${name}}`) : same.replace(new RegExp(`(?<![\\w-])${value}(?![\\w-])`, 'g'), `\${${name}}`);
    }
    return same.length > 300 ? `${same.slice(0, 100)}…${same.length}` : same;
  }
}
