// The pages against console/tests/mock.mjs: every page in both languages and at two widths, the front door, an ended
// sign-in, streams, stored text that would like to be script, and rights.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { base, server, state, violations, within } from './against_mock.mjs';

const PASSWORD = 'correct horse battery';
const PAGES = {
  '/overview': ['docomo は送信ドメインを受け付けません', 'Needs attention'],
  '/why': ['なぜ届かない？', 'Why did it not arrive?'], '/why?q=hanako@example.jp': ['受信者への案内文', 'Text for the recipient'], '/deliveries': ['ご注文の確認（注文番号 4711）', 'Deliveries'],
  '/deliveries/1042': ['受信側ごと', 'By receiver'], '/deliveries/1040': ['別のメンバーが承認するまで送信しません', 'Nothing goes before somebody else has approved it'], '/deliveries/1042?tab=recipients': ['person2@example.com', 'person2@example.com'], '/deliveries/1042?tab=failures': ['docomo は送信ドメインを受け付けません', 'does not accept'],
  '/deliveries/1042?tab=content': ['年末のごあいさつ', 'Phone width'], '/compose': ['差出人・件名・本文を入力すると', 'Fill in sender, subject and a text; it shows'], '/templates': ['テンプレート', 'Templates'], '/templates/5': ['差し込みコード', 'Insert codes'], '/domains': ['example.jp', 'Proven'], '/domains/example.jp': ['公開するレコード', 'Record to publish'],
  '/suppression': ['苦情', 'Complaint'], '/suppression?email=free@example.com': ['停止されていません', 'is not suppressed'], '/webhooks': ['https://hooks.example.jp', 'Webhooks'], '/webhooks/wh_1': ['最近の呼び出し', 'Recent calls'],
  '/usage': ['日ごとの受付数', 'Mails accepted by day'], '/people': ['このアカウントのルール', 'Rules of this account'], '/audit': ['メールの本文を閲覧', 'Looked at a mail'], '/me': ['サインイン中の端末', 'Sign-ins'], '/keys': ['注文サーバー（本番）', 'Make a key'], '/keys?tab=smtp': ['printer-2f', 'printer-2f'],
};
const OPERATORS = {
  '/lanes': ['受信側から送りすぎと言われたため', 'The receiver said that it was too much'], '/engine': ['役割 events のプロセスがない', 'No process has the role events'], '/held': ['taro@example.com', 'Try again'],
  '/sources': ['ウォームアップ曲線', 'Warm-up curve'], '/accounts': ['magazine', '50,000 mails/day'],
};

for (const [language, width, theme, role, pages] of [['ja', 1280, 'light', 'owner', PAGES], ['en', 375, 'dark', 'owner', PAGES], ['ja', 375, 'dark', 'operator', OPERATORS], ['en', 1280, 'light', 'operator', OPERATORS]])
  test(`every page of ${role}s in ${language} at ${width}`, () => within({ language, width, theme }, async (page) => {
    Object.assign(state, { language, role });
    const wrong = [];
    for (const [path, texts] of Object.entries(pages)) {
      await page.goto(base + path);
      await page.locator('main h1').waitFor();
      await page.getByText(texts[language === 'ja' ? 0 : 1]).first().waitFor({ state: 'attached' });
      await page.waitForLoadState('load');
      const seen = await page.evaluate(() => ({ title: document.title, wide: document.documentElement.scrollWidth - innerWidth, headings: document.querySelectorAll('h1').length, lang: document.documentElement.lang, text: document.body.innerText, shifts: window.shifts }));
      assert.notEqual(seen.title, 'pwned', path);
      assert.ok(seen.title.endsWith('todoku'), seen.title);
      assert.equal(seen.lang, language);
      assert.ok(seen.wide <= 0, `${path} is ${seen.wide} wider than the window`);
      assert.equal(seen.headings, 1, `${path} has one h1`);
      assert.doesNotMatch(seen.text, /undefined|\[object|NaN/, path);
      assert.ok(seen.shifts < 0.02, `${path} moves by ${seen.shifts}`);
      wrong.push(...(await violations(page)).map((each) => `${path}: ${each}`));
    }
    assert.deepEqual(wrong, []);
  }));

test('what was stored is shown as it stands, and runs nowhere', () => within({}, async (page) => {
  const stolen = [];
  server.on('request', ({ url }) => url.includes('stolen') && stolen.push(url));
  for (const path of ['/deliveries', '/deliveries/1042?tab=content', '/people', '/suppression', '/templates', '/why?q=hanako@example.jp', '/usage', '/keys', '/keys?tab=smtp', '/lanes', '/held']) {
    state.role = ['/lanes', '/held'].includes(path) ? 'operator' : 'owner';
    await page.goto(base + path);
    if (!path.includes('content')) await page.getByText('onerror="document.title').first().waitFor();
    else {
      const frame = page.frameLocator('iframe.preview');
      await frame.getByText('年末のごあいさつ').waitFor();
      assert.equal(await page.locator('iframe').getAttribute('sandbox'), '');
      assert.match(await page.locator('iframe').getAttribute('src'), /^\/api\/v1\/deliveries\/1042\/preview\?format=html&as=1%2Fshop$/);
      const colour = await frame.locator('h1').evaluate((element) => getComputedStyle(element).color);
      assert.equal(colour, 'rgb(176, 51, 28)', 'its own styles hold');
    }
    await page.waitForTimeout(100);
    assert.notEqual(await page.title(), 'pwned', path);
  }
  assert.deepEqual(stolen, [], 'a mail makes its reader ask for nothing');
}));

test('what is being typed is shown without what runs or loads', () => within({ language: 'en' }, async (page) => {
  state.language = 'en';
  await page.goto(`${base}/templates/5`);
  const frame = page.frameLocator('iframe.preview');
  await frame.getByText('年末のごあいさつ').waitFor();
  assert.equal(await frame.locator('script, [onload], [onerror], [href]').count(), 0);
  assert.equal(await page.locator('iframe').getAttribute('sandbox'), 'allow-same-origin');
  assert.notEqual(await page.title(), 'pwned');
}));

test('signing in: wrong, too often, right, with a second factor, and out', () => within({ language: 'en' }, async (page) => {
  Object.assign(state, { signedIn: false, factor: true, language: 'en' });
  await page.goto(`${base}/deliveries`);
  const sign = async (password) => {
    await page.getByLabel('Email address').fill('hanako@example.jp');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  await sign('wrong');
  await page.getByText('do not belong together').waitFor();
  assert.equal(await page.getByLabel('Email address').inputValue(), 'hanako@example.jp');
  await sign('slow down');
  await page.getByText(/too many tries/i).waitFor();
  await sign(PASSWORD);
  await page.getByLabel('Code').fill('000000');
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByText('That code is not right').waitFor();
  await page.getByLabel('Code').fill('123 456');
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('heading', { name: 'Deliveries' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/deliveries', 'and is where the address said');
  await page.getByRole('button', { name: 'You and your settings' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  assert.equal(state.signedIn, false);
}));

test('a link is used once, and its token leaves the address at once', () => within({ language: 'en' }, async (page) => {
  Object.assign(state, { signedIn: false, language: 'en' });
  await page.goto(`${base}/link#dead`);
  await page.getByText('This link no longer works').waitFor();
  await page.goto(`${base}/link#good`);
  await page.reload();
  await page.goto('about:blank');
  await page.goto(`${base}/link#good`);
  await page.getByText('You are invited to the account shop').waitFor();
  assert.equal(new URL(page.url()).hash, '');
  await page.getByLabel('Name').fill('Taro');
  await page.getByLabel('New password').fill('short');
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.getByText('Use at least 12 characters.').waitFor();
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}));

test('a sign-in that ends loses nothing that was typed', () => within({ language: 'en' }, async (page) => {
  state.language = 'en';
  await page.goto(`${base}/suppression`);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const form = page.getByRole('dialog', { name: 'Add to the suppression list' });
  await form.getByLabel('Whole address').fill('typed@example.jp');
  await form.getByLabel('Note').fill('by telephone');
  state.signedIn = false;
  await form.getByRole('button', { name: 'Add' }).click();
  const again = page.getByRole('dialog', { name: 'Sign in to go on' });
  await again.waitFor();
  await page.waitForFunction(() => document.activeElement?.getAttribute('type') === 'password');
  await page.keyboard.type('wrong');
  await again.getByRole('button', { name: 'Sign in', exact: true }).click();
  await again.getByText('do not belong together').waitFor();
  await again.getByLabel('Password').fill(PASSWORD);
  await again.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('typed@example.jp gets no more mail.').waitFor();
  assert.equal(state.changes.filter((each) => each === 'POST /api/v1/suppressions').length, 2);
}));

test('a page does nothing as another person, or in another account', () => within({ language: 'en' }, async (page, context) => {
  Object.assign(state, { language: 'en', role: 'operator', acting: 'shop' });
  await page.goto(`${base}/suppression`);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const form = page.getByRole('dialog', { name: 'Add to the suppression list' });
  await form.getByLabel('Whole address').fill('typed@example.jp');
  for (const change of [{ role: 'owner', person: 2 }, { role: 'operator', person: 1, acting: 'magazine' }]) {
    // The browser's cookie is another one's by now, and no other tab has told.
    Object.assign(state, change, { rotations: state.rotations + 1 });
    await form.getByRole('button', { name: 'Add' }).click();
    const moved = page.getByRole('dialog', { name: 'Signed in differently by now' });
    await moved.waitFor();
    await moved.getByRole('button', { name: 'Close', exact: true }).last().click();
    await form.getByText('is out of date').waitFor();
    assert.equal(await form.getByLabel('Whole address').inputValue(), 'typed@example.jp', 'what was typed stays');
  }
  assert.ok(state.done.every((each) => each !== 'POST /api/v1/suppressions'));
  Object.assign(state, { acting: 'shop', rotations: state.rotations + 1 });
  await form.getByRole('button', { name: 'Add' }).click();
  await page.getByText('typed@example.jp gets no more mail.').waitFor();
  // Another tab tells.
  state.acting = 'magazine';
  const other = await context.newPage();
  await other.goto(base);
  await other.evaluate(() => new BroadcastChannel('todoku:session').postMessage('changed'));
  await page.getByRole('dialog', { name: 'Signed in differently by now' }).waitFor();
}, /status of (403|409)/));

test('a second link of the same tab is looked at', () => within({ language: 'en' }, async (page) => {
  Object.assign(state, { signedIn: false, language: 'en' });
  await page.goto(`${base}/link#dead`);
  await page.getByText('This link no longer works').waitFor();
  await page.evaluate(() => { location.hash = 'good'; });
  await page.getByText('You are invited to the account shop').waitFor();
  assert.equal(new URL(page.url()).hash, '');
}, /status of 404/));

test('operators find the account after many others, and who has joined is not invited again', () => within({ language: 'en' }, async (page) => {
  Object.assign(state, { role: 'operator', acting: 'shop', language: 'en', manyAccounts: true });
  await page.goto(`${base}/people`);
  const row = page.getByRole('row').filter({ hasText: 'printed@example.jp' });
  await row.getByText('Active').waitFor();
  await row.getByRole('button').click();
  await page.getByRole('menuitem', { name: 'Remove' }).waitFor();
  assert.equal(await page.getByRole('menuitem', { name: 'Send the invitation again' }).count(), 0);
  await page.keyboard.press('Escape');
  await page.locator('header.top').getByRole('button').filter({ hasText: 'shop' }).click();
  await page.getByText('zine', { exact: true }).waitFor();
}));

test('progress is live, comes back when it is cut, and is one connection for all tabs', () => within({ language: 'en' }, async (page, context) => {
  Object.assign(state, { language: 'en', cut: true });
  await page.goto(`${base}/deliveries/1042`);
  await page.getByText('Connecting again').waitFor();
  state.cut = false;
  await page.getByText('Live', { exact: true }).waitFor();
  const others = await Promise.all([1, 2, 3].map(() => context.newPage()));
  for (const other of others) {
    await other.goto(`${base}/deliveries/1042`);
    await other.getByText('Live', { exact: true }).waitFor();
    await other.getByText('1,184 a minute').waitFor();
  }
  assert.equal(state.streams, 1);
  await page.close();
  await others[0].waitForTimeout(1_500);
  await others[0].getByText('Live', { exact: true }).waitFor();
  assert.equal(state.streams, 1, 'another tab has taken over');
}, /ERR_INCOMPLETE_CHUNKED_ENCODING/));

test('a key is made with no more than it needs, shown once, and ended', () => within({ language: 'en' }, async (page) => {
  state.language = 'en';
  await page.goto(`${base}/keys`);
  await page.getByRole('button', { name: 'Make a key' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Label').fill('ci');
  for (const scope of ['send', 'read']) await form.getByRole('checkbox', { name: scope }).uncheck();
  await form.getByRole('button', { name: 'Make' }).click();
  await form.getByText('Choose one at least.').waitFor();
  assert.deepEqual(state.changes, [], 'nothing was sent');
  await form.getByRole('checkbox', { name: 'read' }).check();
  await form.getByRole('button', { name: 'Make' }).dblclick();
  await page.getByText('ZGVtby10b2tlbg==').waitFor();
  assert.deepEqual(state.changes, ['POST /console/v1/keys']);
  await page.keyboard.press('Escape');
  await page.getByText('ZGVtby10b2tlbg==').waitFor();
  await page.getByRole('button', { name: 'I have kept it' }).click();
  await page.getByText('ZGVtby10b2tlbg==').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Actions for 注文サーバー' }).click();
  await page.getByRole('menuitem', { name: 'End' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End' }).click();
  await page.getByText('注文サーバー（本番） opens nothing any more.').waitFor();
  assert.ok(state.changes.includes('DELETE /console/v1/keys/7'));
  await page.getByRole('tab', { name: 'SMTP credentials' }).click();
  await page.getByRole('button', { name: 'Add SMTP credentials' }).click();
  await page.getByRole('dialog').getByLabel('User name').fill('app@shop');
  await page.getByRole('dialog').getByRole('button', { name: 'Make' }).click();
  await page.getByRole('dialog').getByText('the name is taken.').waitFor();
  await page.getByRole('dialog').getByLabel('User name').fill('mailer');
  await page.getByRole('dialog').getByRole('button', { name: 'Make' }).click();
  await page.getByText('f'.repeat(32)).waitFor();
}, /status of 409/));

test('operators see lanes live, release what is held, and suspend an account', () => within({ language: 'en' }, async (page) => {
  Object.assign(state, { language: 'en', role: 'operator' });
  await page.goto(`${base}/lanes`);
  await page.getByText('4.8/s').waitFor();
  await page.getByText('Left alone after failures').waitFor();
  await page.getByText('of a newer engine').waitFor();
  state.empty = true;
  await page.getByText('No lane is at work').waitFor();
  state.empty = false;
  await page.getByText('4.8/s').waitFor();
  await page.getByRole('searchbox').fill('docomo');
  await page.getByRole('searchbox').press('Enter');
  await page.getByText('8 of 10').waitFor({ state: 'detached' });
  await page.goto(`${base}/held`);
  await page.getByRole('button', { name: 'Release' }).click();
  await page.getByText('printer-2f is released').waitFor();
  await page.getByText('None is held').waitFor();
  await page.getByRole('button', { name: 'Try again' }).first().click();
  await page.getByText('The mail to taro@example.com is tried again.').waitFor();
  assert.deepEqual(state.changes, ['POST /console/v1/operations/held/shop/printer-2f/release', 'POST /console/v1/operations/stuck/shop/71/release']);
  await page.goto(`${base}/accounts`);
  await page.getByRole('button', { name: 'Actions for magazine' }).click();
  await page.getByRole('menuitem', { name: 'Resume' }).click();
  await page.getByText('magazine goes on.').waitFor();
  await page.getByText('Suspended').first().waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Add account' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('fresh');
  await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click();
  await page.getByText('fresh is added.').waitFor();
  await page.getByRole('button', { name: 'fresh', exact: true }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  assert.equal(state.acting, 'fresh');
}));

test('the list says what became of each delivery', () => within({ language: 'en' }, async (page) => {
  state.language = 'en';
  await page.goto(`${base}/deliveries`);
  const row = (id) => page.getByRole('row').filter({ hasText: String(id) });
  await row(1041).getByText('Delivered').waitFor();
  await row(1039).getByText('Bounced').waitFor();
  await row(1037).getByText('Stopped').waitFor();
  await row(1037).getByText('3 failed').waitFor();
  await row(1041).getByText('to hanako@example.jp').waitFor();
  assert.equal(await row(1037).locator('code').innerText(), 'name', 'a code is no word of the subject');
  await page.getByLabel('State').selectOption('Stopped');
  await row(1041).waitFor({ state: 'detached' });
  await row(1037).getByText('Stopped').waitFor();
  const asked = page.waitForRequest((request) => /status%5B%5D=SENT/.test(request.url()));
  await page.getByLabel('State').selectOption('Finished');
  assert.match((await asked).url(), /stopped=false/);
  await row(1037).waitFor({ state: 'detached' });
}));

test('the head of a delivery is read without its text', () => within({ language: 'en' }, async (page) => {
  const head = page.waitForRequest((request) => /\/api\/v1\/deliveries\/1042(\?|$)/.test(request.url()));
  await page.goto(`${base}/deliveries/1042`);
  assert.match((await head).url(), /without_text=true/);
}));

test('a domain tells which records are there, what to publish, and makes its keys', () => within({ language: 'en' }, async (page) => {
  state.language = 'en';
  await page.goto(`${base}/domains/example.jp`);
  const record = (words) => page.locator('details.needed', { hasText: words });
  await record('SPF:').getByText('Different').waitFor();
  // What is to be done stands open, with what to copy; what is there is a line.
  await record('SPF:').getByText('v=spf1 include:_spf.example.net ip4:192.0.2.10 ~all').waitFor();
  assert.equal(await record('DKIM:').first().getAttribute('open'), null);
  await record('DKIM:').first().getByText('Published').waitFor();
  await record('TLS-RPT:').getByText('optional').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Make the keys' }).count(), 0);
  await page.goto(`${base}/domains/mail.example.com`);
  await page.getByText('They are looked at when the domain is proven.').waitFor();
  assert.equal(await record('DKIM:').count(), 0);
  await page.getByRole('button', { name: 'Make the keys' }).press('Enter');
  await page.getByText('The keys are made and sign from now on.').waitFor();
  await record('DKIM:').first().getByText('Not checked').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Make the keys' }).count(), 0);
  assert.deepEqual(await violations(page), []);
}));

test('what a role does not open is told with the right that it lacks', () => within({ language: 'en' }, async (page) => {
  state.language = 'en';
  state.role = 'viewer';
  await page.goto(`${base}/domains`);
  await page.getByText('Your role lacks the right "admin"').waitFor();
  await page.goto(`${base}/deliveries/1042?tab=content`);
  await page.getByText('Your role lacks the right "content"').waitFor();
  await page.goto(`${base}/why?q=hanako@example.jp`);
  await page.getByText('Text for the recipient').first().waitFor();
  assert.equal(await page.getByRole('link', { name: /suppression list/ }).count(), 0);
}));

test('pausing and resuming keep the focus, and an undo ends with what came after it', () => within({ language: 'en' }, async (page) => {
  state.language = 'en';
  await page.goto(`${base}/deliveries/1042`);
  await page.getByRole('button', { name: 'Pause' }).press('Enter');
  await page.getByRole('button', { name: 'Undo' }).waitFor();
  const resume = page.getByRole('button', { name: 'Resume' });
  await resume.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Resume');
  await resume.press('Enter');
  await page.getByText('Going on.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Undo' }).count(), 0);
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Pause');
}));

test('the text for the recipient is there in the other language, too', () => within({ language: 'en' }, async (page) => {
  state.language = 'en';
  await page.goto(`${base}/why?q=hanako@example.jp`);
  const story = page.getByRole('group').first();
  await story.getByRole('button', { name: /Language: English/ }).click();
  const asked = page.waitForRequest((request) => /explain\?.*lang=ja/.test(request.url()));
  await page.getByRole('menuitemradio', { name: '日本語' }).click();
  assert.match((await asked).url(), /email_id=\d+/);
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
}));

test('a test of an endpoint that fails is among its calls', () => within({ language: 'en' }, async (page) => {
  Object.assign(state, { language: 'en', testFails: true });
  await page.goto(`${base}/webhooks/wh_1`);
  await page.getByRole('button', { name: 'Send a test' }).click();
  await page.getByText('The test did not arrive.').waitFor();
  const row = page.getByRole('row').filter({ hasText: 'Test' });
  await row.getByText('503').waitFor();
  await row.getByRole('button', { name: 'Details' }).click();
  await page.getByRole('dialog').getByText('the answer was 503').waitFor();
}));

test('why a receiver is slow is told beside it, also to viewers', () => within({ language: 'en' }, async (page) => {
  Object.assign(state, { language: 'en', role: 'viewer' });
  await page.goto(`${base}/deliveries/1042`);
  const row = page.getByRole('row').filter({ hasText: 'docomo' });
  await row.getByText('The receiver said that it was too much').waitFor();
  await row.getByText('310 a minute').waitFor();
  await row.getByText('at most 600 a minute').waitFor();
}));

test('each attempt says where it was made, from where, and how long it took', () => within({ language: 'en' }, async (page) => {
  state.language = 'en';
  await page.goto(`${base}/why?q=hanako@example.jp`);
  await page.getByText('mx1.docomo.example [192.0.2.25] · from main · TLS, certificate verified · took 1.2 seconds').waitFor();
}));

test('a double click pauses once, and pausing can be undone', () => within({ language: 'en' }, async (page) => {
  Object.assign(state, { language: 'en', slow: 150 });
  await page.goto(`${base}/deliveries/1042`);
  await page.getByRole('button', { name: 'Pause' }).dblclick();
  await page.getByText('Paused. Nothing more starts.').waitFor();
  assert.deepEqual(state.changes.filter((each) => each.startsWith('POST')), ['POST /api/v1/deliveries/1042/pause']);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Going on.').waitFor();
}));

test('roles see what they may', () => within({ language: 'en' }, async (page) => {
  const seen = async (role) => {
    Object.assign(state, { role, language: 'en', signedIn: true });
    await page.goto(`${base}/why`);
    await page.getByRole('heading', { name: 'Why did it not arrive?' }).waitFor();
    return page.getByRole('navigation').getByRole('link').allInnerTexts();
  };
  assert.deepEqual(await seen('viewer'), ['Overview', 'Why did it not arrive?', 'Deliveries', 'Templates', 'Usage']);
  assert.deepEqual(await seen('support'), ['Overview', 'Why did it not arrive?', 'Deliveries', 'Templates', 'Suppression', 'Usage']);
  assert.ok((await seen('sender')).includes('New bulk mail'));
  const owners = await seen('owner');
  assert.ok(owners.includes('People') && owners.includes('Keys') && !owners.includes('Held and stuck'), owners.join());
  state.acting = 'shop';
  const operators = await seen('operator');
  for (const name of ['Receivers and lanes', 'Queues and nodes', 'Held and stuck', 'Sources', 'Accounts']) assert.ok(operators.includes(name), name);
  Object.assign(state, { role: 'viewer' });
  for (const [path, told] of [['people', 'It is for owners of the account.'], ['compose', 'Your role lacks the right "send"'], ['accounts', 'There is no such page']]) {
    await page.goto(`${base}/${path}`);
    await page.getByText(told).waitFor();
  }
  await page.goto(`${base}/deliveries/1042`);
  await page.getByText('Live', { exact: true }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Stop' }).count(), 0);
}));

test('the overview begins with what needs somebody, the gravest first, and leads there', () => within({ language: 'en' }, async (page) => {
  Object.assign(state, { language: 'en' });
  await page.goto(base);
  const first = page.getByRole('region', { name: 'Needs attention' });
  await first.getByText('Bulk mail is held back: docomo').waitFor();
  const told = await first.getByRole('listitem').allInnerTexts();
  assert.match(told[0], /Now[^]*unknown users: 22 of 109/);
  assert.ok(told.some((each) => /docomo: Bounced · 820 mails[^]*Publish the missing records/.test(each)));
  assert.ok(told.some((each) => /Limit almost reached: Mails a day[^]*1,812 of 2,000/.test(each)));
  assert.ok(told.some((each) => /example\.jp has a fault[^]*p=none/.test(each)));
  assert.ok(!told.some((each) => /There is no such mailbox/.test(each)), 'a few bad addresses are nobody\'s alarm');
  assert.match(told.at(-1), /Look at it/);
  await page.getByRole('row', { name: /gmail 9,410 99.8/ }).waitFor();
  await page.getByRole('progressbar', { name: /年末年始/ }).waitFor();
  await first.getByRole('link', { name: /docomo: Bounced/ }).click();
  await page.getByText("docomo does not accept the sender's domain.").waitFor();
  state.role = 'viewer';
  await page.goto(base);
  await page.getByRole('heading', { name: 'Last 24 hours' }).waitFor();
  await page.getByRole('row', { name: /gmail/ }).waitFor();
  assert.equal(await page.getByText('Health of domains').count(), 0);
  assert.equal(await page.getByRole('alert').count(), 0);
  Object.assign(state, { role: 'owner', empty: true });
  await page.goto(base);
  await page.getByText('Nothing needs you').waitFor();
}));

async function write(page) {
  await page.getByLabel('Sender', { exact: true }).fill('news@example.jp');
  await page.getByLabel('Subject', { exact: true }).fill('__name__ 様へのお知らせ');
  await page.getByRole('textbox', { name: 'Text' }).fill('__name__ 様 %%shop%% です。');
  await page.getByLabel('HTML (optional)').fill('<style>@media (prefers-color-scheme: dark) { h1 { color: rgb(1, 2, 3) } }</style><h1>__name__ 様</h1>');
}
// As Excel writes it where Japanese is spoken: Shift_JIS, here with semicolons.
const LIST = Buffer.concat([Buffer.from('email;__name__;age\r\nhanako@example.jp;'), Buffer.from([0x89, 0xd4, 0x8e, 0x71]), Buffer.from(';40\r\n')]);

test('a bulk mail: seen beside while it is typed, the list looked at and taken, checked, tested, reserved', () => within({ language: 'en', zone: 'Europe/Berlin' }, async (page) => {
  state.language = 'en';
  await page.goto(`${base}/compose`);
  await page.getByText('Fill in sender, subject and a text first').waitFor();
  await write(page);
  const seen = page.getByRole('region', { name: 'As readers get it' });
  await seen.getByText('{name} 様へのお知らせ').waitFor();
  const frame = seen.frameLocator('iframe');
  await frame.getByText('{name} 様').waitFor();
  const colour = () => frame.locator('h1').evaluate((element) => getComputedStyle(element).color);
  assert.notEqual(await colour(), 'rgb(1, 2, 3)');
  await seen.getByRole('button', { name: 'Dark' }).click();
  await frame.getByText('{name} 様').waitFor();
  await page.waitForFunction(() => getComputedStyle(document.querySelector('iframe').contentDocument.querySelector('h1')).color === 'rgb(1, 2, 3)');
  await seen.getByRole('button', { name: 'Phone width' }).click();
  assert.ok((await seen.locator('iframe').boundingBox()).width <= 375);

  await page.locator('#list').setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: LIST });
  const list = page.getByRole('region', { name: 'Recipients' });
  await list.getByText('Shift_JIS (guessed from its content)').waitFor();
  await list.getByText('Semicolon').waitFor();
  await list.getByText('[email: is required, row: 4]').waitFor();
  assert.match(await list.locator('dl.figures').innerText(), /Rows\s+6\s+Recipients\s+3\s+Bad rows\s+2\s+Duplicates\s+1\s+Suppressed\s+1/);
  await list.getByRole('listitem').filter({ hasText: '__name__' }).getByText('1 recipient without a value').waitFor();
  await list.getByRole('listitem').filter({ hasText: '%%shop%%' }).getByText('No such column').waitFor();
  await list.getByText('Columns that no text uses: age').waitFor();
  await seen.getByText('花子 様へのお知らせ').waitFor();
  await list.getByRole('button', { name: 'Take this list (3 recipients)' }).click();
  await list.getByText('From list.csv.').waitFor();
  assert.equal(state.job.dry, false);

  // Somebody has removed the draft: it is begun anew, and its list has to be taken again.
  state.lost = true;
  await page.getByRole('button', { name: 'Begin now' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Begin' }).click();
  await page.getByText('Take a list first.').waitFor();
  assert.equal(state.committed, undefined);
  await page.locator('#list').setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: LIST });
  await list.getByRole('button', { name: 'Take this list (3 recipients)' }).click();
  await list.getByText('From list.csv.').waitFor();
  assert.deepEqual(state.draft.to, [], 'what the draft had makes room');

  await page.getByRole('button', { name: 'Check now' }).click();
  await page.getByText('text_part has no postal address').waitFor();
  await page.getByRole('button', { name: 'Send a test to hanako@example.jp' }).click();
  await page.getByText('as delivery 1045').waitFor();
  assert.deepEqual([state.tested.to, state.tested.insert_code[0]], ['hanako@example.jp', { key: '__name__', value: '花子' }]);

  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel('Quiet from').fill('21:00');
  await page.getByLabel('Quiet until').fill('08:00');
  await page.getByLabel('Reserve for').fill(`${tomorrow}T07:30`);
  await page.getByText('it goes from 08:00 on').waitFor();
  await page.getByText('On your clock:').waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', { name: 'Reserve' }).click();
  await page.getByRole('dialog').waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole('dialog').getByRole('button', { name: 'Reserve' }).dblclick();
  await page.waitForURL('**/deliveries/1044');
  assert.equal(state.committed.reservation_time, `${tomorrow}T07:30:00+09:00`);
  assert.equal(state.draft.quiet_hours.time_zone, 'Asia/Tokyo');
  assert.equal(state.changes.filter((each) => each.includes('/commit/')).length, 1);
  await page.goto(`${base}/compose`);
  assert.equal(await page.getByLabel('Subject', { exact: true }).inputValue(), '', 'what was sent is not kept');
}));

test('what is typed is kept: for a closed tab and an ended sign-in, until it is discarded, or one signs out', () => within({ language: 'en' }, async (page) => {
  state.language = 'en';
  await page.goto(`${base}/compose`);
  await write(page);
  await page.getByText('Kept until you sign out').waitFor();
  await page.reload();
  const subject = page.getByLabel('Subject', { exact: true });
  await subject.waitFor();
  assert.equal(await subject.inputValue(), '__name__ 様へのお知らせ');
  // Left before the pause is over.
  await subject.fill('the second');
  await page.getByRole('link', { name: 'Deliveries' }).click();
  await page.getByRole('link', { name: 'New bulk mail' }).first().click();
  assert.equal(await subject.inputValue(), 'the second');
  await subject.fill('the third');
  state.signedIn = false;
  const again = page.getByRole('dialog', { name: 'Sign in to go on' });
  await again.getByLabel('Password').fill(PASSWORD);
  await again.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('Kept until you sign out').waitFor();
  assert.equal(await subject.inputValue(), 'the third');
  assert.equal(state.texts['compose:shop'].subject, 'the third');
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByText('Discarded.').waitFor();
  assert.equal(await subject.inputValue(), '');
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.waitForFunction(() => [...document.querySelectorAll('input')].some(({ value }) => value === 'the third'));
  await page.getByRole('button', { name: 'You and your settings' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  assert.equal(state.texts, undefined);
}));

test('empty pages teach, and failures say what to do', () => within({ language: 'en' }, async (page) => {
  Object.assign(state, { empty: true, language: 'en' });
  for (const [path, text] of [['/deliveries', 'Hand in the first mail'], ['/domains', 'Prove your first domain'], ['/suppression', 'Nobody is suppressed'], ['/webhooks', 'No endpoint yet'], ['/templates', 'No template yet'], ['/keys', 'No key yet'], ['/keys?tab=smtp', 'No SMTP credentials yet'], ['/why?q=nobody@example.jp', 'No mail for']]) {
    await page.goto(base + path);
    await page.getByText(text).first().waitFor();
  }
  state.broken = true;
  await page.goto(`${base}/deliveries`);
  await page.getByRole('alert').getByText('try again in a moment').waitFor();
  Object.assign(state, { broken: false, empty: false });
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('ご注文の確認（注文番号 4711）').waitFor();
}));

test('by keyboard: skip, find, and choose light or dark', () => within({ language: 'en' }, async (page) => {
  state.language = 'en';
  await page.goto(`${base}/deliveries`);
  await page.getByRole('heading', { name: 'Deliveries' }).waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(new URL(page.url()).hash, '#main');
  await page.getByRole('button', { name: 'You and your settings' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitemradio', { name: 'Dark' }).waitFor();
  await page.keyboard.type('Dark');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
}));

test('every action that people take has a name in the audit', () => {
  const folder = new URL('../../../src/people/', import.meta.url);
  const sources = readdirSync(folder).filter((name) => name.endsWith('.cc') && !name.endsWith('_test.cc')).map((name) => readFileSync(new URL(name, folder), 'utf8'));
  const actions = new Set(sources.flatMap((text) => [...text.matchAll(/"(person\.[a-z_]+)/g)].map(([, action]) => action)));
  const changes = readFileSync(new URL('../../../src/api/changes.cc', import.meta.url), 'utf8');
  const before = actions.size;
  for (const [, action] of changes.matchAll(/"([a-z_]+\.[a-z_]+)"\}/g)) actions.add(action);
  assert.ok(actions.size > before + 30);
  const named = readFileSync(new URL('../../../console/src/messages/en.ts', import.meta.url), 'utf8');
  assert.ok(actions.size > 25);
  assert.deepEqual([...actions].filter((action) => !named.includes(`'${action}':`)), []);
});

test('turning the second factor on can be given up until the codes are shown', () => within({ language: 'en' }, async (page) => {
  state.language = 'en';
  await page.goto(`${base}/me`);
  await page.getByRole('button', { name: 'Set up' }).click();
  const dialog = page.getByRole('dialog', { name: 'Second factor' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Set up' }).click();
  await dialog.getByLabel('Then type the six digits').fill('123456');
  await dialog.getByRole('button', { name: 'Turn on' }).click();
  await dialog.getByText('k7p0-m2xq-9f0d').waitFor();
  assert.equal(await dialog.getByRole('button', { name: 'Cancel' }).count(), 0);
  await page.keyboard.press('Escape');
  await dialog.getByRole('button', { name: 'I have kept them' }).click();
  await page.getByText('8 recovery codes are left').waitFor();
}));

test('a second factor is set up with a picture, and codes are shown once', () => within({ language: 'en' }, async (page) => {
  Object.assign(state, { must: true, language: 'en' });
  await page.goto(base);
  await page.getByRole('heading', { name: 'Set up a second factor' }).waitFor();
  assert.ok(((await page.locator('svg.qr path').getAttribute('d')) ?? '').length > 500);
  await page.getByLabel('Then type the six digits').fill('123456');
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.getByText('k7p0-m2xq-9f0d').waitFor();
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}));
