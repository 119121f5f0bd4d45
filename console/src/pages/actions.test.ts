import { expect, it } from 'vitest';
import { en } from '../messages/en';
import { ja } from '../messages/ja';
import { actionText } from './actions';

it.each([
  ['person.sign_in', 'Signed in', 'サインイン'],
  ['person.role 12 owner', 'Role changed: #12, Owner', 'ロールを変更: #12, オーナー'],
  ['person.suspend 12', 'Person suspended: #12', 'メンバーを利用停止: #12'],
  ['person.rules: second_factor=true networks=any', 'Rules changed: second_factor=true networks=any', 'アカウントのルールを変更: second_factor=true networks=any'],
  ['person.add 12 sender', 'Person added: #12, Sender', 'メンバーを追加: #12, 送信担当'],
  ['domain.add: news.example.jp', 'Domain added: news.example.jp', 'ドメインを追加: news.example.jp'],
  ['api_key.add: 7 send,read', 'API key made: 7 send,read', 'API キーを作成: 7 send,read'],
  ['account.suspend', 'Account suspended', 'アカウントを停止'],
  ['something.new', 'something.new', 'something.new'],
])('%s is told in words', (action, english, japanese) => {
  expect(actionText(action, en)).toBe(english);
  expect(actionText(action, ja)).toBe(japanese);
});
