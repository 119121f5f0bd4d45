// Debian's Chromium, and what every page is held to whatever it shows: nothing from elsewhere, no error, nothing
// that its policy refuses.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.TODOKU_CONSOLE_WORK, 'package.json'));
const { chromium } = require('playwright-core');

export const launch = () => chromium.launch({ executablePath: process.env.TODOKU_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });

/** A window with `found`, to which all that is wrong is added. */
export async function open(browser, base, { language = 'ja', width = 1280, theme = 'light', zone = 'Asia/Tokyo' } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 860 }, colorScheme: theme, locale: language === 'ja' ? 'ja-JP' : 'en-GB', timezoneId: zone, reducedMotion: 'reduce' });
  const found = [];
  await context.addInitScript(() => {
    window.shifts = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  context.on('request', (request) => {
    if (!request.url().startsWith(base) && !/^(data|about|blob):/.test(request.url())) found.push(`a request to ${request.url()}`);
  });
  context.on('weberror', (error) => found.push(`an error: ${error.error().message}`));
  context.on('console', (message) => {
    // What a frame of a mail is refused is refused as it should be.
    const isOfMail = /inline (style|event handler|script)|Blocked script execution|stolen-by-a-[^]*Content Security Policy|Content Security Policy directive: "img-src data:"/.test(message.text()) && /tab=content|\/templates\/|\/compose$/.test(message.page()?.url() ?? '');
    const isStatus = /Failed to load resource: the server responded with a status of (401|403|404|429|503)/.test(message.text());
    if (message.type() === 'error' && !isOfMail && !isStatus) found.push(`on the console: ${message.text()}`);
  });
  return { context, found, page: await context.newPage() };
}
