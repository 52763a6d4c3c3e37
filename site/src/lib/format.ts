// How numbers are written: English format everywhere, so that what is copied parses.

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

// What stands where there is nothing; the reason stands beside it, or in its title.
export const kNone = '–';

export function count(value: number): string {
  return whole.format(value);
}

// "1 item", "2 items", "no items" is for sentences: said where it is wanted.
export function counted(value: number, one: string, many = one + 's'): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

// Small whole numbers in a sentence are words; zero is "no".
export function in_words(value: number, one: string, many = one + 's'): string {
  const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
  const word = words[value];
  return word === undefined ? counted(value, one, many) : `${word} ${value === 1 ? one : many}`;
}

// A score as `muster run` prints it: four decimals.
export function score(value: number | null): string {
  return value === null || !Number.isFinite(value) ? kNone : value.toFixed(4);
}

// A difference: with its sign, and no "-0.00".
export function signed(value: number, digits = 2): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return '0.' + '0'.repeat(digits);
  return (value < 0 ? '−' : '+') + text;
}

// A log-likelihood, in nats.
export function nats(value: number | null): string {
  return value === null ? kNone : value.toFixed(4).replace('-', '−');
}

// Three digits: 0.413, 41.3, 413, 4,130.
export function rate(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return digits > 3 ? value.toPrecision(3) : new Intl.NumberFormat('en-US', { minimumFractionDigits: 0, maximumFractionDigits: digits }).format(value);
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    ++unit;
  }
  return `${unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

// Weights: "14 M", "1.4 B".
export function parameters(value: number | null): string {
  if (value === null) return kNone;
  if (value >= 1e9) return `${trimmed(value / 1e9)} B`;
  if (value >= 1e6) return `${trimmed(value / 1e6)} M`;
  return count(value);
}
function trimmed(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(1).replace('.0', '');
}

// A share of a whole. Never "100 %" unless it is all, never "0 %" unless it is none.
export function share(part: number, all: number): string {
  if (all === 0) return kNone;
  if (part === all) return '100 %';
  if (part === 0) return '0 %';
  const percent = (part / all) * 100;
  if (percent >= 99) return `${Math.min(percent, 99.99).toFixed(2)} %`;
  return `${Math.max(percent, 0.01).toFixed(percent < 10 ? 2 : 1)} %`;
}

// Progress: whole percents, rounded down, so that 100 means over.
export function percent(settled: number, total: number | null): string {
  return total === null || total === 0 ? '0 %' : `${Math.floor((settled / total) * 100)} %`;
}

export function p_value(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p < 0.01 ? p.toFixed(3) : p.toFixed(2)}`;
}

// "1.2e-02", as `muster why` writes differences.
export function tiny(value: number): string {
  if (value === 0) return '0';
  const [mantissa, exponent] = value.toExponential(1).split('e') as [string, string];
  const power = Number(exponent);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

// Ids are told apart by their first eight digits.
export function short(id: string): string {
  return id.slice(0, 8);
}
