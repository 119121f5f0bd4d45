// The pictures of docs/console/: pages against console/tests/mock.mjs, in both languages and both themes.
//   tools/console browse build/console tests/system/console_pages/shots.mjs docs/console [NAME...]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { mock } from '../../../console/tests/mock.mjs';
import { launch, open } from './browser.mjs';

const [folder, ...names] = process.argv.slice(2);
const WIDE = 1280;
const MIDDLE = 900;
const PHONE = 375;
// In Shift_JIS, as the mock says.
const LIST = { en: Buffer.from('email;__name__\nada@example.com;Ada\n'), ja: Buffer.concat([Buffer.from('email;__name__\nhanako@example.jp;'), Buffer.from([0x89, 0xd4, 0x8e, 0x71]), Buffer.from('\n')]) };

async function write(page, language) {
  const ja = language === 'ja';
  await page.getByLabel(ja ? '差出人アドレス' : 'Sender', { exact: true }).fill('news@example.jp');
  await page.getByLabel(ja ? '件名' : 'Subject', { exact: true }).fill(ja ? '__name__ 様、年末年始の営業日のお知らせ' : '__name__, our days off at the turn of the year');
  await page.getByRole('textbox', { name: ja ? 'テキスト' : 'Text' }).fill(ja ? '__name__ 様\n\nいつもありがとうございます。12 月 29 日から 1 月 3 日まで休業いたします。' : 'Dear __name__,\n\nWe are closed from 29 December to 3 January.');
  await page.getByLabel(/^HTML.+/).fill(ja ? '<div style="padding:24px;font-family:sans-serif"><h1 style="font-size:20px">年末年始のお知らせ</h1><p>__name__ 様、いつもありがとうございます。</p><p>12 月 29 日から 1 月 3 日まで休業いたします。</p></div>' : '<div style="padding:24px;font-family:sans-serif"><h1 style="font-size:20px">Our days off</h1><p>Dear __name__,</p><p>We are closed from 29 December to 3 January.</p></div>');
  await page.locator('#list').setInputFiles({ name: 'customers.csv', mimeType: 'text/csv', buffer: LIST[language] });
  await page.getByText('Shift_JIS').waitFor();
  await page.frameLocator('iframe').getByText(ja ? '花子 様' : 'Dear Ada').waitFor();
  await page.locator('h1').click();
  await page.evaluate(() => scrollTo(0, 0));
}

// What to open, how wide, what to do there, and how high where that is not as usual.
const PICTURES = [
  ['overview', '/overview', WIDE],
  ['why', '/why?q=hanako@example.jp', WIDE],
  ['delivery', '/deliveries/1042', MIDDLE],
  ['compose', '/compose', WIDE, write, 1640],
  ['domain', '/domains/example.jp', PHONE],
  ['deliveries', '/deliveries', PHONE],
];

const { server, state } = mock(process.env.TODOKU_CONSOLE_PAGES);
const fresh = { ...state };
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const base = `http://127.0.0.1:${server.address().port}`;
const browser = await launch();
mkdirSync(folder, { recursive: true });
for (const language of ['en', 'ja'])
  for (const theme of ['light', 'dark'])
    for (const [name, path, width, act, height] of PICTURES.filter(([each]) => names.length === 0 || names.includes(each))) {
      for (const key of Object.keys(state)) delete state[key];
      Object.assign(state, fresh, { signedIn: true, harmless: true, changes: [], removed: new Set(), language });
      const { context, page } = await open(browser, base, { language, width, theme });
      page.setDefaultTimeout(30_000);
      if (height) await page.setViewportSize({ width, height });
      await page.goto(base + path);
      await page.locator('main h1').waitFor();
      await page.waitForLoadState('networkidle', { timeout: 3_000 }).catch(() => undefined);
      if (act) await act(page, language);
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(folder, `${name}-${language}-${theme}.png`) });
      await context.close();
    }
await browser.close();
server.closeAllConnections();
server.close();
