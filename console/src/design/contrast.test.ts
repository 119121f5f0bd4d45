import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('tokens.css', import.meta.url), 'utf8');
const blocks = [...css.matchAll(/:root([^{]*)\{([^}]*)\}/g)].map(([, selector = '', body = '']) => ({
  selector,
  colours: new Map([...body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name = '', value = '']) => [name, value])),
}));
const light = blocks[0]!.colours;
const darks = blocks.slice(1);

/** Relative luminance and contrast of WCAG 2.2. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}
const PAIRS: [string, string[]][] = [
  ['text', ['ground', 'surface', 'sunken', 'accent-ground']],
  ['muted', ['ground', 'surface', 'sunken']],
  ['accent', ['ground', 'surface', 'accent-ground']],
  ['bad', ['surface', 'bad-ground']],
  ['warn', ['surface', 'warn-ground']],
  ['good', ['surface', 'good-ground']],
  ['calm', ['calm-ground']],
  ['button-text', ['button', 'button-hover']],
];

describe.each([['light', light], ...darks.map(({ selector, colours }) => [`dark ${selector}`, colours] as const)] as const)('%s', (_, colours) => {
  it.each(PAIRS.flatMap(([text, grounds]) => grounds.map((ground) => [text, ground] as const)))('%s on %s is read easily', (text, ground) => {
    expect(contrast(colours.get(text)!, colours.get(ground)!)).toBeGreaterThanOrEqual(4.5);
  });
  it('borders of fields are seen', () => {
    expect(contrast(colours.get('line-strong')!, colours.get('surface')!)).toBeGreaterThanOrEqual(3);
  });
});

it('says dark twice in the same words', () => {
  expect(darks).toHaveLength(2);
  expect([...darks[0]!.colours]).toEqual([...darks[1]!.colours]);
});
