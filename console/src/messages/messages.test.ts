import { describe, expect, it } from 'vitest';
import { languageOf } from '.';
import { en } from './en';
import { ja } from './ja';

type Tree = { [key: string]: unknown };
const JAPANESE = /[\u3040-\u30ff\u3400-\u9fff]/;
// Names and words that are the same in both.
const SAME = new Set(['name', 'nav.version', 'nav.webhooks', 'webhooks.title', 'webhooks.url', 'types.SMTP', 'deliveries.html', 'why.reference', 'compose.encodings.utf_8', 'compose.encodings.shift_jis', 'compose.encodings.utf_16le', 'compose.encodings.utf_16be', 'lanes.count', 'lanes.of']);

/** Each text with its place; functions by what they say for several numbers and for a name. */
function texts(tree: Tree, path: string[] = []): [string, string[]][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string[]][] => {
    const place = [...path, key];
    if (typeof value === 'string') return [[place.join('.'), [value]]];
    if (typeof value === 'function') {
      const says = (one: unknown) => String((value as (...all: unknown[]) => string)(...Array.from({ length: value.length }, () => one)));
      return [[place.join('.'), [0, 1, 2, 5, 1234].map(says)]];
    }
    return texts(value as Tree, place);
  });
}

describe('every text in both languages', () => {
  const english = texts(en as Tree);
  const japanese = new Map(texts(ja as Tree));

  it('has the same places', () => {
    expect([...japanese.keys()].sort()).toEqual(english.map(([place]) => place).sort());
  });

  it.each(english)('%s says something in each', (place, said) => {
    for (const text of [...said, ...(japanese.get(place) ?? [''])]) {
      expect(text.trim()).not.toBe('');
      expect(text).not.toMatch(/undefined|NaN|\[object/);
    }
    if (place !== 'name' && !place.endsWith('.placeholder')) for (const text of said) expect(text).not.toMatch(JAPANESE);
    if (!SAME.has(place)) for (const text of japanese.get(place) ?? []) expect(text).toMatch(JAPANESE);
  });

  it.each(english.filter(([, said]) => said.length > 1))('%s tells what it is given in both', (place, said) => {
    const inEnglish = said.map((text) => /1,234/.test(text));
    const inJapanese = (japanese.get(place) ?? []).map((text) => /1,?234/.test(text));
    expect(inJapanese[4]).toBe(inEnglish[4] || /1234/.test(said[4] ?? ''));
  });
});

describe('plural forms', () => {
  it('follow the number in English', () => {
    expect(en.why.found(1)).toBe('1 mail');
    expect(en.why.found(0)).toBe('0 mails');
    expect(en.why.found(1_200)).toBe('1,200 mails');
    expect(en.me.factorOn(1)).toContain('1 recovery code is left');
    expect(en.me.factorOn(8)).toContain('8 recovery codes are left');
  });
  it('have one form with a counter in Japanese', () => {
    expect(ja.why.found(1)).toBe('1 通');
    expect(ja.why.found(1_200)).toBe('1,200 通');
  });
});

describe("the reader's language", () => {
  it('is the first that is spoken here', () => {
    expect(languageOf(['fr-FR', 'ja-JP', 'en'])).toBe('ja');
    expect(languageOf(['en-US', 'ja'])).toBe('en');
    expect(languageOf(['de'])).toBe('en');
  });
});
