// A list as it lies in the browser: its columns and first row, and whether texts ask for columns that it lacks.
import { nameOfCode } from './codes';

export const ENCODINGS: Readonly<Record<string, string>> = { utf_8: 'utf-8', shift_jis: 'shift_jis', utf_16le: 'utf-16le', utf_16be: 'utf-16be' };
export const SEPARATORS: Readonly<Record<string, string>> = { comma: ',', tab: '\t', semicolon: ';', bar: '|' };

const CODE = /__[A-Za-z0-9]+__|%%[A-Za-z0-9]+%%/g;

/** The contract's insert codes in texts, each once, as they come. */
export const codesIn = (texts: readonly string[]): string[] => [...new Set(texts.flatMap((text) => text.match(CODE) ?? []))];

/** The first `rows` rows of a CSV (RFC 4180); one that the text ends in the middle of is left out unless `whole`. */
export function rowsOf(text: string, separator: string, rows: number, whole = true): string[][] {
  const found: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  const end = () => {
    row.push(field);
    field = '';
    if (row.length > 1 || row[0] !== '') found.push(row);
    row = [];
  };
  for (let i = text.startsWith('\uFEFF') ? 1 : 0; i < text.length && found.length < rows; i++) {
    const each = text[i] as string;
    if (quoted) {
      if (each !== '"') field += each;
      else if (text[i + 1] === '"') field += text[++i];
      else quoted = false;
    } else if (each === '"' && field === '') quoted = true;
    else if (each === separator) {
      row.push(field);
      field = '';
    } else if (each === '\n') end();
    else if (each === '\r') {
      if (text[i + 1] !== '\n') end();
    } else field += each;
  }
  if (whole && found.length < rows && (field !== '' || row.length > 0)) end();
  return found;
}

export interface Head {
  columns: string[];
  first: Record<string, string>;
}

export function headOf(text: string, separator: string, whole: boolean): Head {
  const [columns = [], values = []] = rowsOf(text, separator, 2, whole);
  const names = columns.map((name) => name.trim());
  return { columns: names, first: Object.fromEntries(names.map((name, i) => [name, values[i] ?? ''])) };
}

const isColumnOf = (key: string, column: string): boolean => column === key || (key.startsWith('{{') && column === nameOfCode(key));

/** Which codes have no column, and which columns no text asks for. */
export function compared(codes: readonly string[], columns: readonly string[]): { lacking: string[]; unused: string[] } {
  return {
    lacking: codes.filter((key) => !columns.some((column) => isColumnOf(key, column))),
    unused: columns.filter((column) => column.toLowerCase() !== 'email' && !codes.some((key) => isColumnOf(key, column))),
  };
}

/** Of every code its value in the row, by the code. */
export function valuesIn(codes: readonly string[], first: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(codes.map((key) => [key, first[key] ?? first[nameOfCode(key)] ?? '']));
}
