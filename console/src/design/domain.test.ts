import { expect, it } from 'vitest';
import { unicodeOf } from './domain';

it('names are read in their scripts', () => {
  expect(unicodeOf('xn--wgv71a119e.jp')).toBe('日本語.jp');
  expect(unicodeOf('mail.xn--bcher-kva.example')).toBe('mail.bücher.example');
  expect(unicodeOf('xn--eckwd4c7cu47r2wf.jp')).toBe('ドメイン名例.jp');
});
it('what is none of them stays as it is', () => {
  for (const name of ['example.jp', 'xn--.jp', 'xn--99999999999999.jp', 'xn--a_b.jp', '']) expect(() => unicodeOf(name)).not.toThrow();
  expect(unicodeOf('example.jp')).toBe('example.jp');
  expect(unicodeOf('xn--a!.jp')).toBe('xn--a!.jp');
});
it('agrees with the browser about what it makes of a name', () => {
  for (const name of ['日本語.jp', 'münchen.example', '中文.example', '한국어.example']) {
    const ascii = new URL(`http://${name}`).hostname;
    expect(ascii).toMatch(/xn--/);
    expect(unicodeOf(ascii)).toBe(name);
  }
});
