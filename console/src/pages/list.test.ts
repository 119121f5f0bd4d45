import { expect, it } from 'vitest';
import { codesIn, compared, headOf, rowsOf, valuesIn } from './list';

it('codes are found once, in the order of the texts; what only looks alike is none', () => {
  expect(codesIn(['__name__ 様 %%shop%%', '<p>__name__ __unsubscribe_url__ {{name}} __first_name__</p>'])).toEqual(['__name__', '%%shop%%']);
});
it.each([
  ['a,b\n1,2\n', ',', [['a', 'b'], ['1', '2']]],
  ['\uFEFFa;"b;""c"""\r\n1;\r\n', ';', [['a', 'b;"c"'], ['1', '']]],
  ['a\tb\r"1\n2"\t3', '\t', [['a', 'b'], ['1\n2', '3']]],
  ['\n\na\n', ',', [['a']]],
])('%j is read in rows', (text, separator, rows) => {
  expect(rowsOf(text, separator, 9)).toEqual(rows);
});
it('a piece of a file ends with its last whole row', () => {
  expect(rowsOf('a,b\n1,2\n3,', ',', 9, false)).toEqual([['a', 'b'], ['1', '2']]);
  expect(headOf('email,__name__\nhanako@example.jp,花', ',', false)).toEqual({ columns: ['email', '__name__'], first: { email: '', __name__: '' } });
});
it('codes and columns are compared both ways', () => {
  expect(compared(['__name__', '{{user.name}}', '%%shop%%'], ['email', '__name__', 'user.name', 'age'])).toEqual({ lacking: ['%%shop%%'], unused: ['age'] });
  expect(valuesIn(['__name__', '{{user.name}}'], { __name__: '花子', 'user.name': 'hanako' })).toEqual({ __name__: '花子', '{{user.name}}': 'hanako' });
});
