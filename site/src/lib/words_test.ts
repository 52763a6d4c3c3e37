import { describe, expect, test } from 'vitest';
import { compare_sentence } from './compare.ts';
import * as words from './words.ts';

const none = { connected: 0, computing: 0, preparing: 0, storing: 0, idle: 0, coordinating: 0, quarantined: 0, away: 0, leaving: 0 };
const no_jobs = { waiting: 0, running: 0, done: 0, failed: 0, cancelled: 0 };
const pool = (machines: Partial<typeof none>, running: number, items_per_s: number) => ({ machines: { ...none, ...machines }, jobs: { ...no_jobs, running }, items_per_s });

describe('the pool in a sentence agrees in number', () => {
  test.each([
    [pool({}, 0, 0), 'No machine has joined yet.'],
    [pool({ connected: 1, coordinating: 1 }, 1, 0), 'No machine has joined yet.'],
    [pool({ connected: 1, idle: 1 }, 0, 0), 'One machine waits for a job.'],
    [pool({ connected: 3, idle: 2, coordinating: 1 }, 0, 0), 'Two machines wait for a job.'],
    [pool({ connected: 1, quarantined: 1 }, 0, 0), 'One machine is here, quarantined.'],
    [pool({ connected: 1, preparing: 1 }, 1, 0), 'One machine prepares for one job.'],
    [pool({ connected: 1, computing: 1 }, 1, 1), 'One machine answers one item a second for one job.'],
    [pool({ connected: 412, computing: 322, preparing: 14, idle: 76 }, 3, 431.2), '336 machines answer 431 items a second for three jobs.'],
  ])('%#', (of, text) => expect(words.pool_sentence(of)).toBe(text));
});

test.each([[null, '–'], [{ best: 1, worst: 3, of: 9 }, '1–3'], [{ best: 4, worst: 4, of: 9 }, '4']])('rank %#', (rank, text) => expect(words.rank(rank)).toBe(text));

const votes = { agree: 2, wanted: 2, disagree: 0, same_bits: true, trusted_alone: false };
test.each([[votes, '2 of 2'], [{ ...votes, agree: 1 }, '1 of 2'], [{ ...votes, agree: 1, trusted_alone: true }, '1, trusted']])('votes %#', (of, text) => expect(words.votes(of)).toBe(text));

test.each([
  [{ name: 'org/model', commit: 'abcdef0123456789', is_directory: false }, '/models/org/model@abcdef012345'],
  [{ name: 'gpt2', commit: 'abcdef0123456789', is_directory: false }, '/models/-/gpt2@abcdef012345'],
  [{ name: '/home/مودل', commit: 'abcdef0123456789', is_directory: true }, '/models/dir/abcdef0123456789'],
  [{ name: 'org/<b>?#', commit: 'abcdef0123456789', is_directory: false }, '/models/org/%3Cb%3E%3F%23@abcdef012345'],
])('model path %#', (model, path) => expect(words.model_path(model, true)).toBe(path));

const compared = { common: 100, same_items: true, test: 'mcnemar' as const, p: 0.26, difference: { value: 0.06, low: -0.03, high: 0.15 }, counts: { both_right: 9, only_a: 7, only_b: 13, both_wrong: 71 } };
test.each([
  [compared, 'On the same 100 items B is right on 6 more than A; that may be chance (p = 0.26).'],
  [{ ...compared, p: 0.0001, counts: { ...compared.counts, only_a: 40 } }, 'On the same 100 items B is right on 27 fewer than A; that is hardly chance (p < 0.001).'],
  [{ ...compared, counts: { ...compared.counts, only_a: 13 } }, 'On the same 100 items A and B are right on equally many, though not on the same ones.'],
  [{ ...compared, counts: { ...compared.counts, only_a: 0, only_b: 0 } }, 'On the same 100 items A and B are right on the very same ones.'],
  [{ ...compared, same_items: false, common: 1, difference: null }, 'On the 1 item that both answered nothing can be compared.'],
  [{ ...compared, test: 'bootstrap' as const }, 'On the same 100 items B comes to +0.0600 against A; that may be chance (p = 0.26).'],
])('compare sentence %#', (of, text) => expect(compare_sentence(of)).toBe(text));
