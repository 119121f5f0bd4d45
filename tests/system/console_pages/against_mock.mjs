// What the tests of pages against console/tests/mock.mjs share: the server and its state, which each test begins anew, a
// browser, a window that is held to browser.mjs's rules, and axe.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, beforeEach } from 'node:test';
import { mock } from '../../../console/tests/mock.mjs';
import { launch, open } from './browser.mjs';

export let server, state, base, browser;
let fresh;

before(async () => {
  ({ server, state } = mock(process.env.TODOKU_CONSOLE_PAGES));
  fresh = { ...state };
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${server.address().port}`;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  for (const key of Object.keys(state)) delete state[key];
  Object.assign(state, fresh, { signedIn: true, changes: [], done: [], removed: new Set() });
});

export async function within(how, body, expected = /^$/) {
  const { context, page, found } = await open(browser, base, how);
  page.setDefaultTimeout(15_000);
  try {
    await body(page, context);
    assert.deepEqual(found.filter((each) => !expected.test(each)), []);
  } finally {
    await context.close();
  }
}

// What axe finds wrong on the page as it stands.
const require = createRequire(join(process.env.TODOKU_CONSOLE_WORK, 'package.json'));
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
export async function violations(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => (await window.axe.run(document, { resultTypes: ['violations'] })).violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`)));
}
