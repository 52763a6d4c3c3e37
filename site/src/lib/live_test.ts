import { expect, test, vi } from 'vitest';

// The module asks for the browser when it is loaded.
vi.stubGlobal('document', { hidden: true, addEventListener: () => {} });
vi.stubGlobal('addEventListener', () => {});
vi.stubGlobal('setInterval', () => 0);
const { Early, is_later } = await import('./live.svelte.ts');

test.each([['b.2', 'b.1', true], ['b.1', 'b.1', false], ['b.10', 'b.9', true], ['c.10', 'b.9', false], ['b.1', undefined, true]])('%s is after %s: %s', (id, than, is) => expect(is_later(id, than)).toBe(is));
test('what came early is given on once, and only what the answer does not know', () => {
  const early = new Early<string>();
  early.keep('known', 'b.4');
  early.keep('new', 'b.6');
  expect(early.take('b.5')).toEqual(['new']);
  expect(early.take('b.5')).toEqual([]);
});
