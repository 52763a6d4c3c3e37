import { expect, test } from 'vitest';
import * as marks from './marks.ts';

const mark = (bits: number) => String.fromCharCode(48 + bits);
const right = mark(marks.kSettled | marks.kRight), wrong = mark(marks.kSettled), disputed = mark(marks.kSettled | marks.kRight | marks.kDisagreed);

test('bit 1 means right only of what is settled, else at work', () => {
  expect([...'01'].map((letter) => marks.look_of(marks.bits_of(letter, 0)))).toEqual(['open', 'at-work']);
  expect([right, wrong, disputed].map((letter) => marks.look_of(marks.bits_of(letter, 0)))).toEqual(['right', 'wrong', 'disagreed']);
});

test('a tally counts a disputed item under its verdict, too, as the filters do', () => {
  const tie_below = mark(marks.kSettled | marks.kTie | marks.kBelow);
  expect(marks.tally(right + wrong + disputed + tie_below + '01')).toEqual({ open: 1, 'at-work': 1, right: 2, wrong: 2, disagreed: 1, below: 1, ties: 1 });
});

test('changes are taken in, and those beyond the end are not', () => {
  expect(marks.with_changes('0000', [2, 0, 9], right + '1' + right)).toBe('10' + right + '0');
});

test('all marks together are letters of the contract', () => expect(mark(63)).toBe('o'));
