// How times are written. All of them come as milliseconds since 1970.

const kMinute = 60_000, kHour = 60 * kMinute, kDay = 24 * kHour;

function two(value: number): string {
  return String(value).padStart(2, '0');
}

// "2026-11-25 14:12", where the reader is.
export function local(ms: number): string {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

// "14:02", where the reader is.
export function clock(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

// "2026-11-25 13:12:07 UTC"
export function utc(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ') + ' UTC';
}

// Under a day by how long ago, else by date. A clock that is behind the server's never says "in -1 min".
export function ago(ms: number, now_ms: number): string {
  const passed = Math.max(0, now_ms - ms);
  if (passed < 10_000) return 'just now';
  if (passed < kMinute) return `${Math.floor(passed / 1000)} s ago`;
  if (passed < kHour) return `${Math.floor(passed / kMinute)} min ago`;
  if (passed < kDay) return `${Math.floor(passed / kHour)} h ago`;
  return local(ms);
}

// What is to come: "in 23 h", "on 2027-02-01", and "now" once it is due.
export function ahead(ms: number, now_ms: number): string {
  const left = ms - now_ms;
  if (left <= 0) return 'now';
  if (left < kMinute) return 'in less than a minute';
  if (left < kHour) return `in ${Math.floor(left / kMinute)} min`;
  if (left < 2 * kDay) return `in ${Math.floor(left / kHour)} h`;
  return 'on ' + local(ms).slice(0, 10);
}

// How long: "47 s", "2 min 10 s", "1 h 12 min", "3 days 4 h".
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return with_rest(Math.floor(whole / 60), 'min', whole % 60, 's');
  if (whole < 86400) return with_rest(Math.floor(whole / 3600), 'h', Math.floor((whole % 3600) / 60), 'min');
  const days = Math.floor(whole / 86400);
  return with_rest(days, days === 1 ? 'day' : 'days', Math.floor((whole % 86400) / 3600), 'h');
}
function with_rest(value: number, unit: string, rest: number, rest_unit: string): string {
  return rest === 0 ? `${value} ${unit}` : `${value} ${unit} ${rest} ${rest_unit}`;
}

// Time left, which is a guess: as `muster run` rounds it.
export function about(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 90) return `about ${whole} s left`;
  if (whole < 5400) return `about ${Math.round(whole / 60)} min left`;
  return `about ${Math.round(whole / 3600)} h left`;
}

// The reader's zone by name, for the footer.
export function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}
