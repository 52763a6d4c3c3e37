// Debian's chromium under playwright-core, with what it complains of noted.
import { type Browser, type Page, chromium } from 'playwright-core';
import fs from 'node:fs';
import path from 'node:path';

const kAxe = fs.readFileSync(path.resolve(import.meta.dirname, '../node_modules/axe-core/axe.min.js'), 'utf8');
const kRules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export interface Look { width: number; height: number; dark: boolean }

export async function launch(): Promise<Browser> {
  // No sandbox: it refuses root, and containers often lack what it needs. It sees pages of our own only.
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}

export interface Opened { page: Page; complaints: string[]; foreign: string[]; close: () => Promise<void> }

export async function open(browser: Browser, base: string, scenario: string, look: Look): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: look.width, height: look.height }, colorScheme: look.dark ? 'dark' : 'light', reducedMotion: 'reduce', timezoneId: 'Europe/Berlin', locale: 'en-GB' });
  if (scenario !== '') await context.addCookies([{ name: 'stand_in', value: encodeURIComponent(scenario), url: base }]);
  const page = await context.newPage();
  page.setDefaultTimeout(8_000);
  const complaints: string[] = [], foreign: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith('data:') && !request.url().startsWith('blob:')) foreign.push(request.url());
  });
  return { page, complaints, foreign, close: () => context.close() };
}

// Nothing is asked for any more, and two frames have been painted.
export async function settled(page: Page) {
  await page.waitForSelector('main h1', { state: 'attached', timeout: 10_000 });
  // waitForFunction would need eval, which the policy forbids.
  for (let i = 0; i < 200; ++i) {
    // What is asked for only when a closed part is opened does not count.
    if (await page.evaluate(() => ![...document.querySelectorAll('main .rows-to-come')].some((rows) => rows.checkVisibility() && rows.querySelector('.seen') === null))) break;
    await page.waitForTimeout(50);
  }
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 60)))));
}

export async function axe(page: Page): Promise<string[]> {
  await page.evaluate(kAxe);
  return page.evaluate(async (rules) => {
    const { violations } = await (window as unknown as { axe: { run: (root: Document, options: object) => Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[] }> } }).axe.run(document, { runOnly: rules, resultTypes: ['violations'] });
    return violations.map((violation) => `${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 2).map((node) => node.html.slice(0, 160) + ' ' + (node.failureSummary ?? '').slice(0, 200)).join(' | ')}`);
  }, kRules);
}

// How much wider than the window the page is, and what makes it so.
export async function overflow(page: Page): Promise<string> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return '';
    const wide = [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > width + 1).slice(-3);
    return `${document.documentElement.scrollWidth - width} px too wide: ` + wide.map((element) => `${element.tagName.toLowerCase()}.${element.className.toString()} "${(element.textContent ?? '').slice(0, 30)}"`).join(', ');
  });
}
