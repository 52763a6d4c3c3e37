import { describe, expect, test } from 'vitest';
import * as time from './time.ts';

const kNow = Date.UTC(2026, 10, 25, 13, 0, 0), kMinute = 60_000;

describe('times', () => {
  test.each([[0, 'just now'], [-5 * kMinute, 'just now'], [9_999, 'just now'], [30_000, '30 s ago'], [4 * kMinute, '4 min ago'], [119 * kMinute, '1 h ago'], [23.9 * 60 * kMinute, '23 h ago']])('%d ms before', (before, text) => expect(time.ago(kNow - before, kNow)).toBe(text));
  test('older than a day: the date', () => expect(time.ago(kNow - 25 * 60 * kMinute, kNow)).toMatch(/^2026-11-2[34] \d\d:\d\d$/));
  test.each([[-1, 'now'], [0, 'now'], [30_000, 'in less than a minute'], [3 * kMinute, 'in 3 min'], [23.5 * 60 * kMinute, 'in 23 h']])('%d ms ahead', (ahead, text) => expect(time.ahead(kNow + ahead, kNow)).toBe(text));
  test.each([[0, '0 s'], [59.4, '59 s'], [60, '1 min'], [130, '2 min 10 s'], [3600, '1 h'], [4320, '1 h 12 min'], [86400, '1 day'], [277_200, '3 days 5 h'], [-3, '0 s']])('span of %f s', (seconds, text) => expect(time.span(seconds)).toBe(text));
  test.each([[-4, 'about 0 s left'], [12.2, 'about 13 s left'], [89, 'about 89 s left'], [90, 'about 2 min left'], [540, 'about 9 min left'], [7200, 'about 2 h left']])('about %f s', (seconds, text) => expect(time.about(seconds)).toBe(text));
  test('UTC has its seconds and says so', () => expect(time.utc(kNow)).toBe('2026-11-25 13:00:00 UTC'));
});
