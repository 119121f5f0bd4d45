import { expect, it } from 'vitest';
import { nameOfCode, piecesOf, valuesOf } from './codes';

it('values of codes in braces and of the contract go where the engine looks for them', () => {
  expect(valuesOf(['{{user.name}}', '{{ point }}', '__name__', '%%shop%%'], { '{{ point }}': '5', __name__: '花子' })).toEqual({
    data: { 'user.name': '{user.name}', point: '5' },
    insert_code: [{ key: '__name__', value: '花子' }, { key: '%%shop%%', value: '{shop}' }],
  });
});
it('an empty value is none, and nothing is said of codes of the contract where there are none', () => {
  expect(valuesOf(['{{name}}'], { '{{name}}': '' })).toEqual({ data: { name: '{name}' } });
  expect(valuesOf([], {})).toEqual({ data: {} });
});
it('codes are called by what stands between their marks', () => {
  expect(['{{user.name}}', '__first_name__', '%%a__b%%'].map(nameOfCode)).toEqual(['user.name', 'first_name', 'a__b']);
});
it('a text is told apart from the codes in it', () => {
  expect(piecesOf('__name__ 様、{{ point }} ポイント')).toEqual(['', '__name__', ' 様、', '{{ point }}', ' ポイント']);
  expect(piecesOf('a__b c_d 50%% {{')).toEqual(['a__b c_d 50%% {{']);
});
