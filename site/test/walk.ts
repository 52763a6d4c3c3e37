// Walks every page in every state, at each width and in both themes: no complaint of the browser, none of axe-core, no
// sideways scroll, no request to elsewhere. Pictures go to build/site/pictures.
//
//   node test/walk.ts [--only WORD] [--quick] [--pictures]
import type { Page } from 'playwright-core';
import fs from 'node:fs';
import path from 'node:path';
import { axe, launch, type Look, open, overflow, settled } from './browser.ts';
import { faults, start } from './stand_in.ts';
import { kViews, type View } from './views.ts';

const flag = (name: string) => process.argv.includes(name);
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1]! : '';
const kPictures = path.resolve(import.meta.dirname, '../../build/site/pictures');
fs.mkdirSync(kPictures, { recursive: true });

const looks: Look[] = flag('--quick')
  ? [{ width: 1280, height: 900, dark: false }, { width: 390, height: 844, dark: true }]
  : [390, 1280].flatMap((width) => [false, true].map((dark) => ({ width, height: width === 390 ? 844 : 900, dark })));
const kOtherWidths = [320, 768, 1920];

const server = await start(0);
const port = (server.address() as { port: number }).port, base = `http://127.0.0.1:${port}`;
const browser = await launch();
let walked = 0;
const wrong: string[] = [];

// Of the page's first screens; an open dialog or popover belongs to the window as it is. In a window as high as that,
// since a whole-page screenshot loses large canvases.
async function picture(page: Page, view: View, look: Look) {
  if (!/keys|cancel|remove|pardon|menu|definition/.test(view.name)) {
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width: look.width, height: Math.min(Math.max(height, look.height), 2400) });
    await page.waitForTimeout(80);
  }
  await page.screenshot({ path: path.join(kPictures, `${view.name}-${look.width}${look.dark ? '-dark' : ''}.png`) });
  await page.setViewportSize({ width: look.width, height: look.height });
}

async function visit(view: View, look: Look) {
  const opened = await open(browser, base, view.pool ?? '', look);
  const { page } = opened, began = Date.now();
  const say = (what: string) => wrong.push(`${view.name} at ${look.width}${look.dark ? ' dark' : ''}: ${what}`);
  try {
    await page.goto(base + view.url);
    await settled(page);
    if (view.does) {
      await view.does(page);
      await settled(page);
    }
    await picture(page, view, look);
    for (const violation of await axe(page)) say(`axe: ${violation}`);
    const wide = await overflow(page);
    if (wide !== '') say(wide);
    if (look === looks[0]) {
      for (const width of kOtherWidths) {
        await page.setViewportSize({ width, height: 900 });
        await page.waitForTimeout(80);
        const wide = await overflow(page);
        if (wide !== '') say(`resized to ${width}: ${wide}`);
      }
    }
    if ((await page.title()) === '') say('no title');
    if ((await page.locator('main h1').count()) !== 1) say(`${await page.locator('main h1').count()} h1`);
    // That a status is logged is the browser's; it is the page's fault only where none was awaited.
    for (const complaint of opened.complaints) {
      const is_awaited = view.expects !== undefined && complaint.includes('Failed to load resource') && complaint.includes(String(view.expects));
      const is_left_hanging = view.pool?.startsWith('slow') && complaint.includes('net::');
      if (!is_awaited && !is_left_hanging) say(complaint);
    }
    for (const url of opened.foreign) say(`asks ${url}`);
  } catch (error) {
    say(`could not be walked: ${String(error).slice(0, 300)}`);
  } finally {
    await opened.close();
    ++walked;
    if (flag('--verbose')) console.log(`${view.name} ${look.width}${look.dark ? ' dark' : ''} ${Date.now() - began} ms`);
  }
}

for (const view of kViews) {
  if (only !== '' && !new RegExp(only).test(view.name)) continue;
  for (const look of looks) await visit(view, look);
}
await browser.close();
server.closeAllConnections();
server.close();

for (const line of new Set([...wrong, ...faults.map((fault) => `the stand-in: ${fault}`)])) console.log(line);
console.log(`${kViews.length} views; ${walked} walked; ${wrong.length + new Set(faults).size} faults`);
process.exitCode = wrong.length + faults.length > 0 || walked === 0 ? 1 : 0;
