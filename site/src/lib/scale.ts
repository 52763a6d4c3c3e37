// A linear axis: where a value is, and which values are worth printing.

export interface Axis { low: number; high: number }

// Its place from 0 to 1; what lies outside is put at the edge.
export function place(axis: Axis, value: number): number {
  if (axis.high === axis.low) return 0.5;
  return Math.min(1, Math.max(0, (value - axis.low) / (axis.high - axis.low)));
}

// At most `most` round values within the axis: steps of 1, 2 or 5 times a power of ten.
export function ticks(axis: Axis, most: number): number[] {
  const width = axis.high - axis.low;
  if (!(width > 0)) return [axis.low];
  const power = 10 ** Math.floor(Math.log10(width / most));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => width / candidate <= most) ?? 10 * power;
  const first = Math.ceil(axis.low / step - 1e-9);
  const last = Math.floor(axis.high / step + 1e-9);
  const values: number[] = [];
  for (let i = first; i <= last; ++i) values.push(Number((i * step).toPrecision(12)));
  return values;
}

// As many decimals as the ticks need to be told apart.
export function tick_text(value: number, all: number[]): string {
  const step = all.length > 1 ? Math.abs(all[1]! - all[0]!) : Math.abs(value);
  const digits = step > 0 ? Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) : 0;
  return value.toFixed(Math.min(digits, 8)).replace('-', '−');
}

// The axis that holds all of these, with 5 % at either end.
export function axis_of(values: number[]): Axis {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return { low: 0, high: 1 };
  const low = Math.min(...finite), high = Math.max(...finite);
  const pad = (high - low || Math.abs(high) || 1) * 0.05;
  return { low: low - pad, high: high + pad };
}
