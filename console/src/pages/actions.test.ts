import { expect, it } from 'vitest';
import { en } from '../messages/en';
import { ja } from '../messages/ja';
import { actionText } from './actions';

it.each([
  ['person.sign_in', 'Signed in', 'サインイン'],
  ['person.role 12 owner', 'Role changed: #12, Owner', 'ロールを変更: #12, オーナー'],
  ['person.suspend 12', 'Person suspended: #12', 'メンバーを利用停止: #12'],
  ['person.rules: second_factor=true networks=any', 'Rules changed: second_factor=true networks=any', 'アカウントのルールを変更: second_factor=true networks=any'],
  ['people.add sender: sato@example.com', 'Person added: Sender, sato@example.com', 'メンバーを追加: 送信担当, sato@example.com'],
  ['people.remove: sato@example.com', 'Person removed: sato@example.com', 'メンバーを削除: sato@example.com'],
  ['api_key.add: 7 send,read', 'API key made: 7 send,read', 'API キーを作成: 7 send,read'],
  ['account.suspend', 'Account suspended', 'アカウントを停止'],
  ['something.new', 'something.new', 'something.new'],
])('%s is told in words', (action, english, japanese) => {
  expect(actionText(action, en)).toBe(english);
  expect(actionText(action, ja)).toBe(japanese);
});
