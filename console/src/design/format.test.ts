import { describe, expect, it } from 'vitest';
import { en } from '../messages/en';
import { ja } from '../messages/ja';
import { exactIn, instantOf, near, span, took } from './format';

const at = new Date('2026-04-01T09:12:07+09:00');
const minutes = (count: number) => at.getTime() + count * 60_000;

describe('near', () => {
  it('counts minutes within the hour, before and after', () => {
    expect(near(at, minutes(0), 'en')).toBe('now');
    expect(near(at, minutes(3), 'en')).toBe('3 minutes ago');
    expect(near(at, minutes(3), 'ja')).toBe('3 分前');
    expect(near(at, minutes(-12), 'ja')).toBe('12 分後');
  });
  it("is the time of day on the reader's day, else the date with it, as the engine writes it", () => {
    expect(near(at, minutes(120), 'en', 'Asia/Tokyo')).toBe('09:12');
    expect(near(at, minutes(120), 'en', 'America/New_York')).toBe('20:12');
    expect(near(at, minutes(60 * 30), 'en', 'Asia/Tokyo')).toBe('2026-04-01 09:12');
    expect(near(at, minutes(60 * 24 * 400), 'ja', 'Asia/Tokyo')).toBe('2026-04-01 09:12');
  });
});

it('the exact instant has seconds and the zone', () => {
  expect(exactIn(at, 'en', 'Asia/Tokyo')).toMatch(/^2026-04-01 09:12:07 (GMT\+9|JST)$/);
  expect(exactIn(at, 'ja', 'UTC')).toBe('2026-04-01 00:12:07 UTC');
});

it('what is no time is none', () => {
  expect(instantOf(null)).toBeNull();
  expect(instantOf('tomorrow')).toBeNull();
});

it('spans are told by their two largest units', () => {
  expect(span(59, en)).toBe('59 seconds');
  expect(span(720, en)).toBe('12 minutes');
  expect(span(3_660, en)).toBe('1 hour 1 minute');
  expect(span(1_321_200, ja)).toBe('15 日 7 時間');
});

it('how long something took is told in the unit that fits', () => {
  expect(took(820, en)).toBe('820 ms');
  expect(took(1_240, en)).toBe('1.2 seconds');
  expect(took(59_960, en)).toBe('60 seconds');
  expect(took(125_000, ja)).toBe('2 分');
});
