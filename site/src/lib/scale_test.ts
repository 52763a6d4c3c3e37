import { describe, expect, test } from 'vitest';
import { axis_of, place, tick_text, ticks } from './scale.ts';

describe('axis', () => {
  test('holds everything, with room at either end', () => {
    const axis = axis_of([0.2, 0.4, NaN, Infinity]);
    expect(axis.low).toBeCloseTo(0.19);
    expect(axis.high).toBeCloseTo(0.41);
  });
  test('of nothing, of one value, of zero', () => {
    expect(axis_of([])).toEqual({ low: 0, high: 1 });
    expect(place(axis_of([0.5]), 0.5)).toBeCloseTo(0.5);
    expect(place(axis_of([0]), 0)).toBeCloseTo(0.5);
  });
  test('what lies outside is put at the edge', () => expect([place({ low: 0, high: 1 }, -3), place({ low: 0, high: 1 }, 7)]).toEqual([0, 1]));
  test.each([
    [{ low: 0.1, high: 0.47 }, 4, ['0.1', '0.2', '0.3', '0.4']], [{ low: 0, high: 1 }, 5, ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0']],
    [{ low: -0.03, high: 0.15 }, 4, ['0.00', '0.05', '0.10', '0.15']], [{ low: 12, high: 390 }, 4, ['100', '200', '300']], [{ low: -12.6, high: -10.4 }, 5, ['−12.5', '−12.0', '−11.5', '−11.0', '−10.5']],
  ])('round values of %o', (axis, most, texts) => {
    const values = ticks(axis, most);
    expect(values.map((value) => tick_text(value, values))).toEqual(texts);
  });
});
