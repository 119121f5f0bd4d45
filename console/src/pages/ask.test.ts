import { expect, it } from 'vitest';
import { domainIn, waysToAsk } from './ask';

it.each([
  [' hanako@example.jp ', [{ email: 'hanako@example.jp' }, { message_id: 'hanako@example.jp' }, { reference: 'hanako@example.jp' }]],
  ['<24ab@mail.example.jp>', [{ message_id: '<24ab@mail.example.jp>' }]],
  ['4711', [{ reference: '4711' }, { email_id: 4711 }]],
  ['order 4711/b', [{ reference: 'order 4711/b' }]],
  ['0012', [{ reference: '0012' }]],
])('%j may be %j', (typed, ways) => {
  expect(waysToAsk(typed)).toEqual(ways);
});

it.each([
  ['http://news.example.org/', 'news.example.org'],
  [' https://news.example.org:8443/a?b=c#d ', 'news.example.org'],
  ['info@news.example.org', 'news.example.org'],
  ['news.example.org.', 'news.example.org'],
  ['日本語.jp', '日本語.jp'],
  ['', ''],
])('of %j the domain is %j', (typed, name) => {
  expect(domainIn(typed)).toBe(name);
});
