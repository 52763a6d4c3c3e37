import { expect, test } from 'vitest';
import { cell_size, cells_of, with_machine } from './machine_map.ts';

const map = (states: string, ids: string[] = []) => ({ first: 1, states, ids, event: 'b.1' });

test('a small pool keeps its order, and who is not here has no cell', () => {
  expect(cells_of(map('c-iq', ['a', 'b', 'c'])).map((cell) => cell.letter + cell.id)).toEqual(['ca', 'ib', 'qc']);
});
test('a large pool lies by state, trouble first', () => {
  const cells = cells_of(map('ci'.repeat(300) + 'q'));
  expect(cells.length).toBe(601);
  expect(cells[0]!.letter).toBe('q');
  expect(cells.slice(1, 301).every((cell) => cell.letter === 'c')).toBe(true);
});
test.each([[1, 16], [400, 16], [401, 12], [4000, 10], [10_000, 5]])('%d cells are %d px', (count, size) => expect(cell_size(count)).toBe(size));
test('one that goes leaves its place, one that comes takes its own', () => {
  const gone = with_machine(map('cic', ['a', 'b', 'c']), { number: 2, state: 'away', machine: 'b' });
  expect([gone.states, gone.ids]).toEqual(['c-c', ['a', 'c']]);
  const back = with_machine(gone, { number: 2, state: 'idle', machine: 'b' });
  expect([back.states, back.ids]).toEqual(['cic', ['a', 'b', 'c']]);
  const fifth = with_machine(back, { number: 5, state: 'preparing', machine: 'e' });
  expect([fifth.states, fifth.ids]).toEqual(['cic-p', ['a', 'b', 'c', 'e']]);
  expect(with_machine(fifth, { number: 1, state: 'quarantined', machine: 'a' }).states).toBe('qic-p');
});
