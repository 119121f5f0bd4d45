// Values of a template's codes as the engine takes them: `{{user.name}}` in `data`, the contract's `__name__` and
// `%%name%%` in `insert_code` (docs/templates.md).
const IN_BRACES = /^\{\{\s*(.*?)\s*\}\}$/;
const MARK_OF_CONTRACT = /^(__|%%)|(__|%%)$/g;

/** What a code is called, without its marks. */
export const nameOfCode = (key: string): string => IN_BRACES.exec(key)?.[1] ?? key.replace(MARK_OF_CONTRACT, '');

const ANY = /(__[A-Za-z0-9]+__|%%[A-Za-z0-9]+%%|\{\{[^{}]*\}\})/;

/** A text in pieces: every second one is a code. */
export const piecesOf = (text: string): string[] => text.split(ANY);

/** Of every code its value, or its name in braces where it has none. */
export function valuesOf(keys: readonly string[], values: Readonly<Record<string, string>>) {
  const data: Record<string, string> = {};
  const insert_code: { key: string; value: string }[] = [];
  for (const key of keys) {
    const value = values[key] || `{${nameOfCode(key)}}`;
    if (IN_BRACES.test(key)) data[nameOfCode(key)] = value;
    else insert_code.push({ key, value });
  }
  return { data, ...(insert_code.length ? { insert_code } : {}) };
}
