import { describe, expect, test } from 'vitest';
import * as format from './format.ts';

describe('numbers parse when they are copied, and none is called zero or all when it is not', () => {
  test.each([[0, '0'], [7, '7'], [14042, '14,042']])('count %f', (value, text) => expect(format.count(value)).toBe(text));
  test.each([[0, 'item', '0 items'], [1, 'item', '1 item'], [2, 'item', '2 items']])('%d counted', (value, word, text) => expect(format.counted(value, word)).toBe(text));
  test.each([[0, 'no machines'], [1, 'one machine'], [9, 'nine machines'], [10, '10 machines'], [1234, '1,234 machines']])('%d in words', (value, text) => expect(format.in_words(value, 'machine')).toBe(text));
  test.each([[0, '0.0000'], [1, '1.0000'], [0.16, '0.1600'], [null, '–'], [NaN, '–'], [Infinity, '–'], [23.14172, '23.1417']])('score %s', (value, text) => expect(format.score(value)).toBe(text));
  test.each([[0.06, '+0.06'], [-0.06, '−0.06'], [0, '0.00'], [-0.001, '0.00']])('signed %f', (value, text) => expect(format.signed(value)).toBe(text));
  test.each([[0, '0'], [0.4127, '0.413'], [1, '1'], [41.31, '41.3'], [431.4, '431'], [4130, '4,130'], [0.00012, '0.000120']])('rate %f', (value, text) => expect(format.rate(value)).toBe(text));
  test.each([[0, '0 B'], [1023, '1023 B'], [1024, '1.0 KiB'], [6.1 * 2 ** 30, '6.1 GiB'], [512 * 2 ** 20, '512 MiB'], [2 ** 50, '1024 TiB']])('bytes %f', (value, text) => expect(format.bytes(value)).toBe(text));
  test.each([[null, '–'], [999_999, '999,999'], [14_067_712, '14 M'], [1_400_000, '1.4 M'], [1_011_781_632, '1 B'], [1_430_000_000, '1.4 B']])('parameters %s', (value, text) => expect(format.parameters(value)).toBe(text));
  test.each([[0, 0, '–'], [0, 9, '0 %'], [9, 9, '100 %'], [99_999, 100_000, '99.99 %'], [9_999_999, 10_000_000, '99.99 %'], [1, 10_000_000, '0.01 %'], [9998, 10_000, '99.98 %'], [1, 2, '50.0 %']])('share %d of %d', (part, all, text) => expect(format.share(part, all)).toBe(text));
  test.each([[0, 100, '0 %'], [99.9, 100, '99 %'], [100, 100, '100 %'], [0, null, '0 %'], [3, 0, '0 %']])('percent %f of %s', (part, all, text) => expect(format.percent(part, all)).toBe(text));
  test.each([[0.26, 'p = 0.26'], [0.0004, 'p < 0.001'], [0.004, 'p = 0.004'], [1, 'p = 1.00']])('p %f', (value, text) => expect(format.p_value(value)).toBe(text));
  test.each([[0.012, '1.2e-02'], [5e-4, '5.0e-04'], [0, '0'], [12, '1.2e+01']])('tiny %f', (value, text) => expect(format.tiny(value)).toBe(text));
  test.each([[-12.30712, '−12.3071'], [null, '–'], [0, '0.0000']])('nats %s', (value, text) => expect(format.nats(value)).toBe(text));
});
