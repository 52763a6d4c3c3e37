// What pages do when something is done to them: keys, focus, Back, dialogs, forms, a server that goes away.
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { launch, open, settled } from './browser.ts';
import { kJobs } from './fixtures.ts';
import { faults, start } from './stand_in.ts';

let server = await start(0);
const port = (server.address() as { port: number }).port, base = `http://127.0.0.1:${port}`;
const browser = await launch();
const only = process.argv[2] ?? '';
const run = (i: number) => `/jobs/${kJobs[i]!.job}/${kJobs[i]!.run}`;
const focused = (page: Page) => page.evaluate(() => document.activeElement?.tagName + ' ' + (document.activeElement?.textContent ?? '').trim().slice(0, 60));
const at = (page: Page) => page.evaluate(() => location.pathname + location.search);
let passed = 0, failed = 0;

async function test(name: string, pool: string, act: (page: Page) => Promise<void>, can_complain = false) {
  if (!name.includes(only)) return;
  const opened = await open(browser, base, pool, { width: 1280, height: 900, dark: false });
  await opened.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  try {
    await act(opened.page);
    if (!can_complain) assert.deepEqual(opened.complaints, []);
    ++passed;
  } catch (error) {
    ++failed;
    console.log(`FAILED ${name}: ${(error as Error).message.slice(0, 500)}`);
  }
  await opened.close();
}
async function shown(page: Page, url: string) {
  await page.goto(base + url);
  await settled(page);
}
async function until(what: string, is_so: () => Promise<boolean>, wait_ms = 8000) {
  const end = Date.now() + wait_ms;
  while (!(await is_so())) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

await test('a route change takes the focus to the heading, and says the title', '', async (page) => {
  await shown(page, '/');
  await page.getByRole('link', { name: 'Jobs', exact: true }).click();
  await until('the focus is on Jobs', async () => (await focused(page)) === 'H1 Jobs');
  assert.match(await page.title(), /Jobs · muster$/);
  await until('it is announced', async () => /Jobs/.test((await page.locator('body > #app > [aria-live]').textContent()) ?? ''));
});
await test('Back restores filter and scroll', '', async (page) => {
  await shown(page, '/jobs?state=done');
  await page.evaluate(() => scrollTo(0, 700));
  await page.locator('main [data-row]').nth(12).click();
  await until('the job is there', async () => (await at(page)).startsWith('/jobs/'));
  await settled(page);
  assert.equal(await page.evaluate(() => scrollY), 0);
  await page.goBack();
  await until('the list is back at its place', async () => (await at(page)) === '/jobs?state=done' && (await page.evaluate(() => scrollY)) > 600);
});
await test('the keyboard: g l, /, j, Enter, ]', '', async (page) => {
  await shown(page, '/');
  await page.keyboard.press('g');
  await page.keyboard.press('l');
  await until('the leaderboard is there', async () => (await at(page)) === '/leaderboard');
  await page.goto(base + `${run(5)}/items/tinyMMLU/2`);
  await settled(page);
  await page.keyboard.press(']');
  await until('the next item is there', async () => (await at(page)).endsWith('/3'));
  await page.goto(base + '/jobs');
  await settled(page);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  const second = await focused(page);
  await page.keyboard.press('Enter');
  await until('the second job is there', async () => (await page.title()).includes(second.replace('A ', '')));
  await page.goto(base + '/jobs');
  await settled(page);
  await page.keyboard.press('/');
  assert.match(await focused(page), /^INPUT/);
  await page.keyboard.type('smol');
  await until('the search is in the URL', async () => (await at(page)) === '/jobs?q=smol');
});
await test('the item map goes by arrow keys', '', async (page) => {
  await shown(page, run(5));
  await page.getByRole('button', { name: /Map of 100 items/ }).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await until('item 2 is there', async () => (await at(page)).endsWith('/items/tinyMMLU/2'));
});
await test('a dialog: the safe button first, Esc, focus back', 'user=lender', async (page) => {
  await shown(page, run(0));
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  assert.equal(await focused(page), 'BUTTON Let it run');
  await page.keyboard.press('Escape');
  assert.equal(await focused(page), 'BUTTON Cancel');
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await page.getByRole('button', { name: 'Cancel it' }).click();
  await page.waitForSelector('text=Cancelled');
});
await test('removing a machine wants its id', 'user=lender', async (page) => {
  await shown(page, '/machines/mine');
  await page.getByRole('button', { name: 'Remove', exact: true }).first().click();
  const act = page.getByRole('button', { name: 'Remove it' }).first();
  assert.equal(await act.isDisabled(), true);
  await page.locator('dialog[open] input').fill((await page.locator('dialog[open] h2').textContent())!.split(' ')[1]!.replace('?', ''));
  assert.equal(await act.isDisabled(), false);
});
await test('a form keeps what was typed, marks the field, takes the focus there', '', async (page) => {
  await shown(page, '/register');
  await page.getByLabel('Name', { exact: true }).fill('new');
  await page.getByLabel('E-mail').fill('nobody');
  await page.getByLabel('Password', { exact: true }).fill('twelve and more');
  await page.keyboard.press('Enter');
  await until('the address is marked', async () => (await page.getByLabel('E-mail').getAttribute('aria-invalid')) === 'true');
  assert.equal(await page.evaluate(() => (document.activeElement as HTMLInputElement).name), 'email');
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'new');
});
await test('signing in goes back to where one was', '', async (page) => {
  await shown(page, '/submit?model=EleutherAI/pythia-14m');
  await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click();
  await page.getByLabel('Name or e-mail').fill('ada');
  await page.getByLabel('Password', { exact: true }).fill('something long');
  await page.keyboard.press('Enter');
  await until('the form is back', async () => (await at(page)) === '/submit?model=EleutherAI/pythia-14m');
});
await test('a copied command says so', '', async (page) => {
  await shown(page, run(5));
  await page.getByRole('button', { name: 'Copy the command' }).click();
  await page.waitForSelector('text=copied');
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^muster run --llm_name EleutherAI\/pythia-14m /);
});
await test('the theme is kept, and there before the first paint', '', async (page) => {
  await shown(page, '/');
  await page.getByLabel('Theme').selectOption('dark');
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset['theme']), 'dark');
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(15, 19, 24)');
});
await test('user text is text', 'user=operator', async (page) => {
  await shown(page, '/machines');
  await shown(page, `${run(5)}/items/tinyMMLU/3`);
  assert.match((await page.locator('main pre').last().textContent())!, /<script>alert\("x"\)<\/script>/);
  assert.equal(await page.locator('main script, main b').count(), 0);
});
await test('a running job moves: its number, its map, its title', '', async (page) => {
  await shown(page, run(1));
  const settled_now = async () => Number(/^([\d,]+) of/.exec((await page.locator('.big').textContent()) ?? '')?.[1]);
  const label = () => page.getByRole('button', { name: /^Map of/ }).getAttribute('aria-label');
  const first = await settled_now(), map = await label(), title = await page.title();
  await until('four more are settled', async () => (await settled_now()) >= first + 4);
  assert.notEqual(await label(), map);
  assert.notEqual(await page.title(), title);
});
await test('an unknown path is 404, with a page', '', async (page) => {
  const response = await page.goto(base + '/no/such/page');
  assert.equal(response?.status(), 404);
  await page.waitForSelector('text=There is no such page');
}, true);
await test('a server that goes away: the dot says so within 10 s, what was there stays, and all is well 5 s after it is back', '', async (page) => {
  await shown(page, '/');
  await until('it is live', async () => (await page.locator('header').textContent())!.includes('live'));
  const sentence = await page.locator('h1').textContent();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await until('the dot says so', async () => (await page.locator('header').textContent())!.includes('not live since'), 10_000);
  assert.equal(await page.locator('h1').textContent(), sentence);
  server = await start(port);
  await until('it is live again', async () => !(await page.locator('header').textContent())!.includes('not live'), 5_500);
}, true);

// The browser's own measure; 0.05 is half of what it calls good. Answers take half a second, so that bars are seen first.
for (const [width, url] of [1280, 390].flatMap((width) => ['/', '/jobs', '/leaderboard', '/machines', run(0), `${run(5)}/items/tinyMMLU/2`].map((url) => [width, url] as const))) {
  await test(`nothing jumps while ${url} fills at ${width}`, '', async (page) => {
    await page.setViewportSize({ width, height: 900 });
    await page.addInitScript(() => {
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as unknown as { value: number; hadRecentInput: boolean }[]) {
          if (!entry.hadRecentInput) (window as unknown as { moved: number }).moved = ((window as unknown as { moved?: number }).moved ?? 0) + entry.value;
        }
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await page.route('**/api/**', async (route) => {
      if (!route.request().url().includes('/events')) await new Promise((resolve) => setTimeout(resolve, 500));
      await route.continue().catch(() => {});
    });
    await shown(page, url);
    await page.waitForTimeout(1000);
    const moved = await page.evaluate(() => (window as unknown as { moved?: number }).moved ?? 0);
    assert.ok(moved < 0.05, `layout shift ${moved.toFixed(3)}`);
  });
}

await browser.close();
server.closeAllConnections();
server.close();
for (const fault of new Set(faults)) console.log(`the stand-in: ${fault}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || faults.length > 0 || passed === 0 ? 1 : 0;
