import { expect, it } from 'vitest';
import { EMPTY, isQuiet, isReadable, keysOf, sampleOf } from './draft';

const own = { ...EMPTY, from: 'news@example.jp', subject: '__name__ 様', text: 'こんにちは' };

it.each([
  ['21:00', '08:00', '2027-04-01T07:59', true],
  ['21:00', '08:00', '2027-04-01T08:00', false],
  ['21:00', '08:00', '2027-04-01T23:10', true],
  ['12:00', '13:00', '2027-04-01T12:30', true],
  ['12:00', '13:00', '2027-04-01T13:00', false],
  ['', '', '2027-04-01T12:30', false],
])('quiet from %s until %s: at %s %s', (quietFrom, quietUntil, at, quiet) => {
  expect(isQuiet({ ...EMPTY, quietFrom, quietUntil }, at)).toBe(quiet);
});
it('a sample has the values of the first row, and the names of codes that have none', () => {
  expect(sampleOf(own, undefined, { email: 'hanako@example.jp', __name__: '花子' })).toMatchObject({ subject: '__name__ 様', insert_code: [{ key: '__name__', value: '花子' }] });
  expect(sampleOf(own, undefined, undefined)).toMatchObject({ insert_code: [{ key: '__name__', value: '{name}' }] });
  expect(sampleOf(own, undefined, undefined)).not.toHaveProperty('data');
});
it("a template's codes are the template's, and its texts are not said", () => {
  const template = { from: null, codes: [{ key: '{{user.name}}', required: true }] } as never;
  const draft = { ...own, from: '', template: '5' };
  expect(keysOf(draft, template)).toEqual(['{{user.name}}']);
  expect(sampleOf(draft, template, { 'user.name': 'Hanako' })).toEqual({ from: { email: 'sender@example.com', name: '' }, template: 5, data: { 'user.name': 'Hanako' } });
});
it('what has no sender, subject or text is not asked about yet', () => {
  expect([own, { ...own, from: 'news' }, { ...own, subject: '' }, { ...own, text: '' }, { ...own, text: '', html: '<p>' }].map(isReadable)).toEqual([true, false, false, false, true]);
});
