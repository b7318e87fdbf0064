// The table that people fill in: RFC 4180, UTF-8. What a spreadsheet makes of it is read as well: a byte order mark, semicolons, Windows-1252.

import { UserError } from '@zeuxis/pictures';
import Papa from 'papaparse';

export const COLUMNS = ['file', 'sha256', 'source', 'creator', 'licence', 'consent', 'reservation', 'title', 'weight', 'terms'] as const;
/** A picture's row: these columns, and whatever further ones people added. */
export type Row = Record<(typeof COLUMNS)[number], string> & Record<string, string>;

/** A value that a spreadsheet would compute. An apostrophe before it says that it is text; one that was there gets a second. */
const guard = (value: string): string => (/^'*[=+\-@\t\r]/.test(value) ? `'${value}` : value);
const unguard = (value: string): string => (/^'+[=+\-@\t\r]/.test(value) ? value.slice(1) : value);

export function writeCsv(rows: readonly Row[]): string {
  const more = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) => !(COLUMNS as readonly string[]).includes(name));
  return writeTable([...COLUMNS, ...more], rows);
}

/** A table of these columns; what a row lacks is empty. */
export function writeTable(fields: readonly string[], rows: readonly Record<string, string>[]): string {
  return `${Papa.unparse({ fields: [...fields], data: rows.map((row) => fields.map((field) => guard(row[field] ?? ''))) }, { newline: '\r\n' })}\r\n`;
}

/** @throws UserError for what is no such table. */
export function readCsv(bytes: Uint8Array, path: string): Row[] {
  const text = decode(bytes);
  const [head = ''] = text.split(/\r?\n|\r/, 1);
  const delimiter = [',', ';', '\t'].find((mark) => Papa.parse<string[]>(head, { delimiter: mark }).data[0]?.some((name) => nameOf(name) === 'file') && head.includes(mark)) ?? ',';
  const { data, errors, meta } = Papa.parse<Record<string, string>>(text, { header: true, delimiter, skipEmptyLines: 'greedy', transformHeader: nameOf });
  if (!meta.fields?.includes('file') || !meta.fields.includes('sha256')) throw new UserError(`'${path}' has no columns 'file' and 'sha256'; put its first line back, or delete it and start again`);
  const fault = errors.find(({ type }) => type === 'Quotes');
  if (fault) throw new UserError(`'${path}' is damaged near its row ${(fault.row ?? 0) + 2}: ${fault.message}`);
  return data.map((found) => {
    const entries = Object.entries(found).filter(([name, value]) => name !== '' && typeof value === 'string');
    const row = Object.fromEntries([...COLUMNS.map((name) => [name, '']), ...entries.map(([name, value]) => [name, unguard(value.trim())])]) as Row;
    return { ...row, sha256: row.sha256.toLowerCase() };
  });
}

const nameOf = (name: string): string => {
  const small = name.trim().toLowerCase();
  return small === 'license' ? 'licence' : (COLUMNS as readonly string[]).includes(small) ? small : name.trim();
};

function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
