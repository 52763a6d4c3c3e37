// An item's mark: one character, '0' + bits (docs/openapi.json, Marks).
export const kRight = 1, kDisagreed = 2, kBelow = 4, kTie = 8, kTrusted = 16, kSettled = 32;
export const kAtWork = 1;  // Of one that is not settled.
const kZero = 48;

export function bits_of(marks: string, index: number): number {
  return Math.max(0, marks.charCodeAt(index) - kZero);
}

export type Look = 'open' | 'at-work' | 'right' | 'wrong' | 'disagreed';

// How a cell of the map looks. A dispute goes before right and wrong: it is what one looks for.
export function look_of(bits: number): Look {
  if ((bits & kSettled) === 0) return bits & kAtWork ? 'at-work' : 'open';
  if (bits & kDisagreed) return 'disagreed';
  return bits & kRight ? 'right' : 'wrong';
}

export interface MarkCounts { open: number; 'at-work': number; right: number; wrong: number; disagreed: number; below: number; ties: number }

// Right and wrong are counted whether or not a vote disagreed, as the list's filters are.
export function tally(marks: string): MarkCounts {
  const counts = { open: 0, 'at-work': 0, right: 0, wrong: 0, disagreed: 0, below: 0, ties: 0 };
  for (let i = 0; i < marks.length; ++i) {
    const bits = bits_of(marks, i);
    if ((bits & kSettled) === 0) {
      ++counts[bits & kAtWork ? 'at-work' : 'open'];
      continue;
    }
    ++counts[bits & kRight ? 'right' : 'wrong'];
    if (bits & kDisagreed) ++counts.disagreed;
    if (bits & kBelow) ++counts.below;
    if (bits & kTie) ++counts.ties;
  }
  return counts;
}

// Takes in one event: some items' marks as they are now.
export function with_changes(marks: string, numbers: number[], changed: string): string {
  const all = Array.from(marks);
  numbers.forEach((number, i) => {
    if (number < all.length) all[number] = changed[i] ?? '0';
  });
  return all.join('');
}
