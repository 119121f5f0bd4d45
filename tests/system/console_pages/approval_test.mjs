// A second person's approval, against console/tests/mock.mjs: deciding, what is in view then, what was changed meanwhile,
// who may not, and that nothing says of a bulk that waits that it goes at its time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base, state, violations, within } from './against_mock.mjs';

const english = () => Object.assign(state, { language: 'en' });
const part = (page) => page.getByRole('region', { name: 'Approval', exact: true });
const calls = (verb) => state.changes.filter((each) => each === `POST /api/v1/deliveries/1040/approval/${verb}`).length;
const fact = async (page, name) => (await part(page).locator('dt', { hasText: name }).locator('xpath=following-sibling::dd[1]').innerText()).trim();

test('what waits is found on the overview and approved once, with what goes in view', () => within({ language: 'en' }, async (page) => {
  english();
  await page.goto(`${base}/overview`);
  const first = page.getByRole('region', { name: 'Needs attention' });
  const told = first.getByRole('listitem').filter({ hasText: 'Waits for your approval: Winter sale' });
  await told.getByText(/If nobody approves it by \d{4}-\d{2}-\d{2} /).waitFor();
  assert.equal(await first.getByText('春のお知らせ').count(), 0, 'of one\'s own one is not asked');
  await told.getByRole('link').click();
  await page.getByRole('heading', { level: 1, name: /Waits for approval/ }).waitFor();
  await part(page).getByText('Nothing goes before somebody else has approved it.').waitFor();
  assert.match(await fact(page, 'Asked for by'), /^taro@example\.jp · \d{4}-/);
  assert.match(await fact(page, 'If approved, goes'), /^\d{4}-\d{2}-\d{2} /);
  assert.match(await fact(page, 'Fails unless approved by'), /^\d{4}-\d{2}-\d{2} /);
  assert.deepEqual([await fact(page, 'Recipients'), await fact(page, 'Pace'), await fact(page, 'Quiet hours'), await fact(page, 'Revision')], ['20,000 mails', '1,200 mails a minute', '21:00–08:00 (Asia/Tokyo)', '2']);
  assert.equal(await page.getByText('Reserved for').count(), 0);
  assert.deepEqual(await violations(page), []);
  await part(page).getByRole('link', { name: 'Look at the content' }).click();
  await page.frameLocator('iframe.preview').getByText('年末のごあいさつ').waitFor();
  state.slow = 100;
  await part(page).getByRole('button', { name: 'Approve' }).dblclick();
  await part(page).getByText('Approved', { exact: true }).waitFor();
  assert.equal(calls('approve'), 1, 'a double click approves once');
  assert.match(await fact(page, 'Decided by'), /^hanako@example\.jp · /);
  assert.equal(await part(page).getByRole('button').count(), 0);
  await page.getByRole('heading', { level: 1, name: /Reserved/ }).waitFor();
}));

test('sent back it is a draft, with the reason, by one call', () => within({ language: 'en' }, async (page) => {
  english();
  await page.goto(`${base}/deliveries/1040`);
  await part(page).getByRole('button', { name: 'Send back' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Send back' }).click();
  assert.equal(calls('send_back'), 0, 'it takes a reason');
  const reason = dialog.getByLabel('Why it is sent back');
  await reason.fill('The subject names last year.');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await part(page).getByRole('button', { name: 'Send back' }).click();
  assert.equal(await reason.inputValue(), 'The subject names last year.', 'what was typed stays');
  assert.deepEqual(await violations(page), []);
  state.slow = 100;
  await dialog.getByRole('button', { name: 'Send back' }).dblclick();
  await part(page).getByText('Sent back', { exact: true }).waitFor();
  await part(page).getByText('The subject names last year.').waitFor();
  assert.equal(calls('send_back'), 1);
  await page.getByRole('heading', { level: 1, name: /Draft/ }).waitFor();
}));

test('what was changed meanwhile is not decided about before it is seen', () => within({ language: 'en' }, async (page) => {
  Object.assign(english(), { changes_first: true });
  await page.goto(`${base}/deliveries/1040`);
  await part(page).getByRole('button', { name: 'Send back' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Why it is sent back').fill('Too fast.');
  await dialog.getByRole('button', { name: 'Send back' }).click();
  await part(page).getByText('It was changed or decided meanwhile').waitFor();
  await dialog.waitFor({ state: 'detached' });
  await part(page).getByText('600 mails a minute', { exact: true }).waitFor();
  assert.equal(await fact(page, 'Revision'), '3');
  await part(page).getByRole('button', { name: 'Send back' }).click();
  assert.equal(await dialog.getByLabel('Why it is sent back').inputValue(), 'Too fast.', 'what was typed stays');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await part(page).getByRole('button', { name: 'Approve' }).click();
  await part(page).getByText('Approved', { exact: true }).waitFor();
  assert.equal(await part(page).getByText('It was changed or decided meanwhile').count(), 0);
  assert.equal(calls('send_back') + calls('approve'), 2);
  // Somebody else decides first.
  state.decided = undefined;
  await page.goto(`${base}/deliveries/1040`);
  await part(page).getByRole('button', { name: 'Approve' }).waitFor();
  state.decided = { 1040: { state: 'sent_back', reason: 'By somebody else.' } };
  await part(page).getByRole('button', { name: 'Approve' }).click({ timeout: 3_000 }).catch(() => undefined);
  await part(page).getByText('By somebody else.').waitFor();
  assert.equal(await part(page).getByRole('button').count(), 0);
}, /409/));

test('what others decide shows by itself', () => within({ language: 'en' }, async (page) => {
  english();
  await page.goto(`${base}/deliveries/1040`);
  await part(page).getByRole('button', { name: 'Approve' }).waitFor();
  state.decided = { 1040: { state: 'approved' } };
  await part(page).getByText('Approved', { exact: true }).waitFor();
  await page.getByRole('heading', { level: 1, name: /Reserved/ }).waitFor();
}));

test('who may not approve reads why, and what nobody approved says so', () => within({ language: 'en' }, async (page) => {
  english();
  await page.goto(`${base}/deliveries/1046`);
  await part(page).getByText('You committed it or changed it last').waitFor();
  assert.equal(await fact(page, 'If approved, goes'), 'at once');
  assert.equal(await part(page).getByRole('button').count(), 0);
  await page.getByRole('button', { name: 'Take it back' }).waitFor();
  await page.goto(`${base}/deliveries/1047`);
  await part(page).getByText('Nobody approved it in time').waitFor();
  await part(page).getByText('Lapsed', { exact: true }).waitFor();
  assert.match(await fact(page, 'Asked for by'), /^API key 7 · /);
  assert.equal(await part(page).getByRole('button').count(), 0);
  assert.notEqual(await page.title(), 'pwned');
  await page.goto(`${base}/deliveries/1042`);
  await page.getByRole('heading', { name: 'By receiver' }).waitFor();
  assert.equal(await part(page).count(), 0, 'of which nobody asked');
  state.role = 'viewer';
  await page.goto(`${base}/deliveries/1040`);
  await part(page).getByText('Your role does not send').waitFor();
  assert.equal(await part(page).getByRole('button').count() + await part(page).getByRole('link').count(), 0);
  await page.goto(base);
  await page.getByRole('heading', { name: 'Last 24 hours' }).waitFor();
  assert.equal(await page.getByText('Waits for your approval').count(), 0);
}));

test('the list and the overview say that it waits, and not that it goes at its time', () => within({ language: 'en' }, async (page) => {
  english();
  await page.goto(`${base}/deliveries`);
  const row = (id) => page.getByRole('row').filter({ has: page.locator(`a[href="/deliveries/${id}"]`) });
  for (const id of [1040, 1046]) {
    await row(id).getByText('Waits for approval').waitFor();
    await row(id).getByText('Fails unless approved by').waitFor();
    assert.equal(await row(id).getByText(/Reserved/).count(), 0);
  }
  await row(1047).getByText('Failed').waitFor();
  assert.deepEqual(await violations(page), []);
  state.decided = { 1040: { state: 'approved' } };
  await page.reload();
  await row(1040).getByText('Reserved for').waitFor();
  state.decided = undefined;
  await page.goto(`${base}/overview`);
  const now = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Bulk mail now' }) }).getByRole('listitem').filter({ hasText: 'Winter sale' });
  await now.getByText('Waits for approval').waitFor();
  await now.getByText('If approved, goes').waitFor();
}));

const LIST = Buffer.from('email,__name__\r\nhanako@example.jp,Hanako\r\n');
async function write(page) {
  await page.goto(`${base}/compose`);
  await page.getByLabel('Sender', { exact: true }).fill('news@example.jp');
  await page.getByLabel('Subject', { exact: true }).fill('Spring');
  await page.getByRole('textbox', { name: 'Text' }).fill('It is spring.');
  await page.locator('#list').setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: LIST });
  await page.getByRole('button', { name: /^Take this list/ }).click();
  await page.getByText('From list.csv.').waitFor();
}

for (const isLost of [false, true])
  test(`what is committed says that it waits${isLost ? ', also where it cannot be read until when' : ', until when'}, and leads there`, () => within({ language: 'en' }, async (page) => {
    Object.assign(english(), { waits: true, approvalLost: isLost });
    await write(page);
    await page.getByRole('button', { name: 'Begin now' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Begin' }).dblclick();
    const told = page.getByRole('dialog', { name: 'It waits for a second person' });
    await told.getByText('Nothing goes before somebody else has approved it.').waitFor();
    assert.equal(await page.getByText('It goes out now.').count(), 0);
    assert.equal(await told.getByText('Fails unless approved by').count(), isLost ? 0 : 1);
    if (!isLost) await told.getByText('at once').waitFor();
    assert.deepEqual(await violations(page), []);
    assert.equal(state.changes.filter((each) => each.includes('/commit/')).length, 1);
    state.approvalLost = false;
    await told.getByRole('link', { name: 'To the delivery' }).click();
    await page.waitForURL('**/deliveries/1044');
    await part(page).getByText('You committed it or changed it last').waitFor();
    await page.goto(`${base}/compose`);
    assert.equal(await page.getByLabel('Subject', { exact: true }).inputValue(), '', 'what was committed is not kept');
  }));

test('owners put the rule on and do not take it off; operators do', () => within({ language: 'en' }, async (page) => {
  english();
  await page.goto(`${base}/people`);
  const rule = page.getByLabel('A second person approves each bulk');
  await rule.check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('You cannot take this off').waitFor();
  assert.ok(await rule.isChecked() && await rule.isDisabled());
  assert.deepEqual(await violations(page), []);
  Object.assign(state, { role: 'operator', acting: 'shop', rotations: state.rotations + 1 });
  await page.goto(`${base}/people`);
  await page.getByText('what waits then goes on waiting').waitFor();
  await rule.uncheck();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved').first().waitFor();
  assert.equal(state.approves, false);
}));

test('in Japanese, at the width of a phone', () => within({ language: 'ja', width: 375, theme: 'dark' }, async (page) => {
  for (const [path, text] of [['/deliveries/1040', '1 分あたり|毎分 1,200 通'], ['/deliveries/1046', '別のメンバーの承認が必要です'], ['/deliveries/1047', '期限までに承認されなかった'], ['/overview', 'あなたの承認待ち: Winter sale']]) {
    await page.goto(base + path);
    await page.getByText(new RegExp(text)).first().waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth) <= 0, path);
    assert.deepEqual(await violations(page), [], path);
  }
}));
