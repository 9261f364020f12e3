/** A line that is no record. */
export const BLANK = /^[ \t\r]*$/;

/** Records of CSV text, blank lines aside; undefined where quotes are misplaced or not closed. For small texts: CsvScanner is the fast one. */
export function splitCsv(text: string): string[][] | undefined {
  const records: string[][] = [];
  let record: string[] = [];
  for (let index = 0; index < text.length; ) {
    const isQuoted = text[index] === '"';
    const field = isQuoted ? /"([^"]*(?:""[^"]*)*)"(?=,|\r?\n|\r?$)/y : /([^,\n]*)/y;
    field.lastIndex = index;
    const match = field.exec(text);
    if (match === null) {
      return undefined;
    }
    index = field.lastIndex;
    if (isQuoted && text[index] === '\r') {
      index += 1;
    }
    const isLast = index === text.length || text[index] === '\n';
    record.push(isQuoted ? match[1].replaceAll('""', '"') : isLast ? match[1].replace(/\r$/, '') : match[1]);
    if (isLast) {
      if (record.length > 1 || isQuoted || !BLANK.test(record[0])) {
        records.push(record);
      }
      record = [];
    } else if (index + 1 === text.length) {
      // A comma ends the text: an empty field follows.
      records.push([...record, '']);
    }
    index += 1;
  }
  return records;
}
