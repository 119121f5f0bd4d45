// What engine_test.py has prepared, seen in a browser: URL, the link of the first operator, the bulk's id.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open } from './browser.mjs';

const [url, link, bulk] = process.argv.slice(2);
const PASSWORD = 'correct horse battery';
let browser, context, page, found;

before(async () => {
  browser = await launch();
  ({ context, page, found } = await open(browser, url, { language: 'en' }));
  page.setDefaultTimeout(60_000);
});
after(async () => {
  await browser?.close();
  assert.deepEqual(found, []);
});
const text = (what, how) => page.getByText(what, how).first().waitFor();

test('nobody is there yet: the page says what to run, and the link makes the operator', async () => {
  await page.goto(url);
  await text('todoku console operator');
  await page.goto('about:blank');
  await page.goto(link);
  await text('Make yourself the operator');
  await page.getByLabel('Name').fill('First');
  await page.getByLabel('Email address').fill('first@people.example');
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set password' }).click();
  await text('Choose an account to see its mail');
  await page.goto('about:blank');
  await page.goto(link);
  await text('This link no longer works');
});

test('signed in, an account is chosen', async () => {
  await page.goto(url);
  await page.getByRole('button', { name: 'Account' }).first().click();
  await page.getByRole('menuitemradio', { name: 'tester' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await text('Bulk mail now');
  await page.getByRole('link', { name: '年末年始のお知らせ' }).waitFor();
  await page.getByRole('row', { name: /one\.example/ }).or(page.getByRole('cell', { name: 'All others' })).first().waitFor();
  await page.getByRole('link', { name: 'sender.example', exact: true }).waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
});

test('why a mail did not arrive: by order number, by address, in both languages', async () => {
  await page.goto(`${url}/why`);
  const box = page.getByLabel('Address, order number or Message-ID');
  await box.fill('4711');
  await box.press('Enter');
  await text('550 5.1.1 no such user');
  await text('Text for the recipient');
  await box.fill('hanako@one.example');
  await box.press('Enter');
  await text('ご注文の確認（注文番号 4710）');
  await text('Delivered', { exact: true });
  await box.fill('nobody@one.example');
  await box.press('Enter');
  await text('No mail for "nobody@one.example"');
});

test('a bulk on its way is seen live, paused, resumed and stopped', async () => {
  await page.goto(`${url}/deliveries`);
  await page.getByRole('link', { name: '年末年始のお知らせ' }).click();
  await text('Live', { exact: true });
  await page.getByRole('button', { name: 'Pause' }).click();
  await text('Paused. Nothing more starts.');
  await page.getByRole('heading', { name: 'Paused' }).waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await text('Going on.');
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Stop for good' }).click();
  await page.getByRole('heading', { name: /Stopped|Stopping/ }).waitFor();
  assert.equal(new URL(page.url()).pathname, `/deliveries/${bulk}`);
  await page.getByRole('tab', { name: 'Recipients' }).click();
  await text('@one.example');
});

test('the text of a mail is shown in its frame, and that is in the audit', async () => {
  await page.goto(`${url}/why?q=4711`);
  await page.getByRole('link', { name: /^Delivery \d+$/ }).click();
  await page.getByRole('tab', { name: 'Content' }).click();
  const frame = page.frameLocator('iframe.preview');
  await frame.getByText('ありがとうございます。').waitFor();
  assert.equal(await frame.locator('p').first().evaluate((element) => getComputedStyle(element).color), 'rgb(18, 52, 86)');
  await page.goto(`${url}/audit`);
  await text('first@people.example');
});

test('suppression: added, found, released', async () => {
  await page.goto(`${url}/suppression`);
  await text('Nobody is suppressed');
  await page.getByRole('button', { name: 'Add' }).first().click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Whole address').fill('taro@gone.example');
  await form.getByLabel('Note').fill('<b onclick="alert(1)">by telephone</b>');
  await form.getByRole('button', { name: 'Add' }).click();
  await text('<b onclick="alert(1)">by telephone</b>');
  await page.getByRole('button', { name: 'Release' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
  await text('taro@gone.example is released.');
});

test('a bulk mail is written, its list looked at and taken, judged, tested and begun', async () => {
  await page.goto(`${url}/compose`);
  await page.getByLabel('Sender', { exact: true }).fill('order@sender.example');
  await page.getByLabel('Subject', { exact: true }).fill('__name__ 様へ');
  await page.getByRole('textbox', { name: 'Text' }).fill('__name__ 様 __nmae__');
  await page.getByRole('region', { name: 'As readers get it' }).getByText('{name} 様へ').waitFor();
  await text('Kept until you sign out');
  await page.reload();
  await page.getByRole('region', { name: 'As readers get it' }).getByText('{name} 様へ').waitFor();
  // Shift_JIS, with a bad row, an address twice, and one without a name.
  const rows = ['email,__name__', 'ada@one.example,\x89\xd4\x8eq', 'ben@one.example,\x91\xbe\x98Y', 'no address,\x89\xd4\x8eq', 'BEN@one.example,\x91\xbe\x98Y', 'eva@one.example,'];
  await page.locator('#list').setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(`${rows.join('\r\n')}\r\n`, 'latin1') });
  const list = page.getByRole('region', { name: 'Recipients' });
  await list.getByText('Shift_JIS').waitFor();
  assert.match(await list.locator('dl.figures').innerText(), /Rows\s+5\s+Recipients\s+3\s+Bad rows\s+1\s+Duplicates\s+1\s+Suppressed\s+0/);
  await list.getByText('no address').waitFor();
  await list.getByRole('listitem').filter({ hasText: '__nmae__' }).getByText('No such column').waitFor();
  await page.getByRole('region', { name: 'As readers get it' }).getByText('花子 様へ').waitFor();
  await page.getByRole('textbox', { name: 'Text' }).fill('__name__ 様');
  await list.getByRole('button', { name: 'Take this list (3 recipients)' }).click();
  await list.getByText('From list.csv.').waitFor();
  await page.getByRole('button', { name: 'Check now' }).click();
  await text(/mails? composed/);
  await page.getByRole('button', { name: 'Send a test to first@people.example' }).click();
  await text(/A test is on its way to first@people\.example/);
  await page.getByRole('button', { name: 'Begin now' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Begin' }).click();
  await page.getByRole('heading', { name: /name\s*様へ/ }).waitFor();
  await page.getByRole('heading', { name: /Finished/ }).waitFor();
  await page.getByRole('tab', { name: 'Recipients' }).click();
  await text('ada@one.example');
  await page.goto(`${url}/compose`);
  assert.equal(await page.getByLabel('Subject', { exact: true }).inputValue(), '');
  // Of a template, whose draft takes the place of the other.
  await page.getByLabel('Sender', { exact: true }).fill('order@sender.example');
  await page.getByLabel('Made of').selectOption({ label: 'welcome' });
  await page.frameLocator('iframe').getByText('ようこそ {name} 様').waitFor();
  await page.locator('#list').setInputFiles({ name: 'names.csv', mimeType: 'text/csv', buffer: Buffer.from('email,__name__\nada@one.example,Ada\neva@one.example,\n') });
  await list.getByText('(plain ASCII)').waitFor();
  await page.frameLocator('iframe').getByText('ようこそ Ada 様').waitFor();
  await list.getByRole('button', { name: 'Take this list (1 recipient)' }).click();
  await list.getByText('From names.csv.').waitFor();
  await page.getByRole('button', { name: 'Discard' }).click();
  await text('Discarded.');
});

test('every other page answers, in Japanese, too', async () => {
  for (const [path, words] of [['/domains', 'sender.example'], ['/domains/sender.example', '_todoku-challenge'], ['/webhooks', 'No endpoint yet'], ['/templates', 'welcome'], ['/usage', 'Mails accepted by day'], ['/people', 'Rules of this account'], ['/me', 'this one']]) {
    await page.goto(url + path);
    await text(words);
    assert.equal(await page.getByRole('alert').count(), 0, path);
  }
  await page.goto(`${url}/templates`);
  await page.getByRole('link', { name: 'welcome' }).click();
  await text('Insert codes');
  await page.frameLocator('iframe.preview').getByText('ようこそ').waitFor();
  await page.getByRole('button', { name: 'You and your settings' }).click();
  await page.getByRole('menuitemradio', { name: '日本語' }).click();
  await text('差し込みコード');
  await page.reload();
  await text('差し込みコード');
});

test('signing out ends it, and a wrong password is told so', async () => {
  await page.getByRole('button', { name: 'ユーザーメニュー' }).click();
  await page.getByRole('menuitem', { name: 'サインアウト' }).click();
  await page.getByLabel('メールアドレス').fill('first@people.example');
  await page.getByLabel('パスワード').fill('not that one at all');
  await page.getByRole('button', { name: 'サインイン', exact: true }).click();
  await text('メールアドレスまたはパスワードが違います');
  await page.getByLabel('パスワード').fill(PASSWORD);
  await page.getByRole('button', { name: 'サインイン', exact: true }).click();
  await text('なぜ届かない？');
  assert.equal(context.pages().length, 1);
});
