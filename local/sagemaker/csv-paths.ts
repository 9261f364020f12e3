import { unsupported } from './errors';

/** The cells of one CSV line as they are written, quotes included. */
export function cellsOf(line: string): string[] {
  const cells: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at <= line.length; at += 1) {
    if (line[at] === '"') quoted = !quoted;
    if (at === line.length || (line[at] === ',' && !quoted)) {
      cells.push(line.slice(start, at));
      start = at + 1;
    }
  }
  return cells;
}

/** Selects columns of a CSV record as DataProcessing's JSONPath does: $, $[1], $[-1], $[1:], $[:3], $[0,3]. */
export function columnFilter(path: string | undefined): (line: string) => string {
  if (path === undefined || path === '$') return (line) => line;
  const [, inside] = /^\$\[([-\d:,\s]+)\]$/.exec(path) ?? [];
  const slice = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*$/.exec(inside ?? '');
  if (slice) {
    const [from, to] = [slice[1], slice[2]].map((text) => (text === undefined ? undefined : Number(text)));
    return (line) => cellsOf(line).slice(from, to).join(',');
  }
  const indices = /^\s*-?\d+(\s*,\s*-?\d+)*\s*$/.test(inside ?? '') ? inside.split(',').map(Number) : undefined;
  if (!indices) throw unsupported(`the path ${path} in DataProcessing: it knows $, $[i], $[a:b] and $[i,j] on CSV`);
  return (line) => {
    const cells = cellsOf(line);
    return indices.map((index) => cells[index < 0 ? cells.length + index : index] ?? '').join(',');
  };
}
