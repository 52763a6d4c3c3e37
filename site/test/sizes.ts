// What a page costs to open: the first load under 80 kB, any page under 200 kB, gzipped (kB = 1,000 bytes).
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const kDist = path.resolve(import.meta.dirname, '../dist'), kFirst = 80_000, kAny = 200_000;
const bytes = new Map<string, number>(), imports = new Map<string, string[]>();

for (const name of fs.readdirSync(path.join(kDist, 'assets'))) {
  if (!/\.(js|css)$/.test(name)) continue;
  const text = fs.readFileSync(path.join(kDist, 'assets', name));
  bytes.set(name, zlib.gzipSync(text, { level: 9 }).length);
  // Static imports only: what is imported later is another page's.
  imports.set(name, [...text.toString().matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)].map((match) => match[1]!));
}

function with_imports(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const next of imports.get(name) ?? []) with_imports(next, seen);
  return seen;
}

const index = fs.readFileSync(path.join(kDist, 'index.html'), 'utf8');
const entry = [...index.matchAll(/assets\/([^"]+\.(?:js|css))/g)].map((match) => match[1]!);
const shell = zlib.gzipSync(index, { level: 9 }).length + zlib.gzipSync(fs.readFileSync(path.join(kDist, 'theme.js')), { level: 9 }).length + zlib.gzipSync(fs.readFileSync(path.join(kDist, 'icon.svg')), { level: 9 }).length;
const frame = new Set(entry.flatMap((name) => [...with_imports(name)]));
const cost = (names: Iterable<string>) => shell + [...names].reduce((sum, name) => sum + bytes.get(name)!, 0);

const pages = fs.readdirSync(path.resolve(import.meta.dirname, '../src/pages')).map((file) => file.replace('.svelte', ''));
const kB = (value: number) => `${(value / 1000).toFixed(1)} kB`;
let is_fine = true;
const costs = pages.map((page) => {
  const chunk = [...bytes.keys()].find((name) => new RegExp(`^${page}-[^.]+\\.js$`).test(name));
  if (!chunk) throw new Error(`no chunk for ${page}`);
  const total = cost(new Set([...frame, ...with_imports(chunk)]));
  is_fine &&= total < (page === 'Start' ? kFirst : kAny);
  return { page, total };
}).sort((a, b) => b.total - a.total);
for (const { page, total } of costs.slice(0, 5)) console.log(`${page}: ${kB(total)}`);
console.log(`first load (Start): ${kB(costs.find(({ page }) => page === 'Start')!.total)}; frame alone ${kB(cost(frame))}; all scripts and styles ${kB([...bytes.values()].reduce((sum, value) => sum + value, 0))}`);
if (!is_fine) console.log(`too large: ${kFirst / 1000} kB for the first load, ${kAny / 1000} kB for any page`);
process.exitCode = is_fine ? 0 : 1;
