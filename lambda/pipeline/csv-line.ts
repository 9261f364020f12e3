/** One line of CSV without its end; quotes only where they are needed, so that equal rows are equal text. */
export const csvLine = (cells: readonly string[]): string => cells.map(csvCell).join(',');

export const csvCell = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
