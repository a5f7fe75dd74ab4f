/**
 * The fields of one record (RFC 4180), or why it is none. A quoted field may hold the delimiter, line ends
 * and doubled quotes; anywhere else a quote is a mistake, for nobody knows what was meant.
 */
export function parseFields(record: string, delimiter: string): readonly string[] | string {
  if (!record.includes('"')) return record.split(delimiter);
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const quoted = record[at] === '"';
    const end = quoted ? endOfQuoted(record, at) : endOfPlain(record, at, delimiter);
    const where = `field ${fields.length + 1}`;
    if (end < 0) return `${where} has a quote that is not closed`;
    const field = quoted ? record.slice(at + 1, end - 1).replaceAll('""', '"') : record.slice(at, end);
    if (!quoted && field.includes('"')) return `${where} has a quote, but is not quoted`;
    fields.push(field);
    if (end === record.length) return fields;
    if (record[end] !== delimiter) return `${where} goes on after its closing quote`;
    at = end + 1;
  }
}

/** One past the quote that ends the field; -1 if none does. */
function endOfQuoted(record: string, start: number): number {
  let at = record.indexOf('"', start + 1);
  while (at >= 0 && record[at + 1] === '"') at = record.indexOf('"', at + 2);
  return at < 0 ? -1 : at + 1;
}

function endOfPlain(record: string, start: number, delimiter: string): number {
  const end = record.indexOf(delimiter, start);
  return end < 0 ? record.length : end;
}
