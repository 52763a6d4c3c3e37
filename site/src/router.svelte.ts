// The URL is the view. Paths are matched here and nowhere else; the server knows the same patterns and answers
// 404 to any other path, with this page all the same.
import type { Component } from 'svelte';

type Load = () => Promise<{ default: Component<any> }>;
interface Route { pattern: RegExp; names: string[]; load: Load }

function route(path: string, load: Load): Route {
  const names: string[] = [];
  const source = path.replace(/:([a-z]+)/g, (_, name: string) => {
    names.push(name);
    return '([^/]+)';
  });
  return { pattern: new RegExp(`^${source}/?$`), names, load };
}

// Earlier ones go first.
const kRoutes: Route[] = [
  route('/', () => import('./pages/Start.svelte')),
  route('/leaderboard', () => import('./pages/Leaderboard.svelte')),
  route('/models/:organisation/:name', () => import('./pages/Model.svelte')),
  route('/compare', () => import('./pages/Compare.svelte')),
  route('/jobs', () => import('./pages/Jobs.svelte')),
  route('/jobs/:job', () => import('./pages/Job.svelte')),
  route('/jobs/:job/:run', () => import('./pages/Job.svelte')),
  route('/jobs/:job/:run/items/:task/:number', () => import('./pages/Item.svelte')),
  route('/submit', () => import('./pages/Submit.svelte')),
  route('/join', () => import('./pages/Join.svelte')),
  route('/machines', () => import('./pages/Machines.svelte')),
  route('/machines/mine', () => import('./pages/MyMachines.svelte')),
  route('/machines/:machine', () => import('./pages/Machine.svelte')),
  route('/account', () => import('./pages/Account.svelte')),
  route('/account/:tab', () => import('./pages/Account.svelte')),
  route('/sign-in', () => import('./pages/SignIn.svelte')),
  route('/register', () => import('./pages/Register.svelte')),
  route('/verify', () => import('./pages/MailLink.svelte')),
  route('/unsubscribe', () => import('./pages/MailLink.svelte')),
  route('/forgot', () => import('./pages/Forgot.svelte')),
  route('/reset', () => import('./pages/Reset.svelte')),
  route('/operator', () => import('./pages/Operator.svelte')),
  route('/operator/:tab', () => import('./pages/Operator.svelte')),
  route('/docs', () => import('./pages/Docs.svelte')),
  route('/docs/scores', () => import('./pages/DocsScores.svelte')),
  route('/docs/lending', () => import('./pages/DocsLending.svelte')),
  route('/docs/api', () => import('./pages/DocsApi.svelte')),
  route('/docs/problems', () => import('./pages/DocsProblems.svelte')),
  route('/docs/problems/:slug', () => import('./pages/DocsProblems.svelte')),
];
const kNotFound: Load = () => import('./pages/NotFound.svelte');

export interface Found { load: Load; params: Record<string, string> }

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;  // Somebody typed a lone '%'.
  }
}

export function match(path: string): Found {
  for (const { pattern, names, load } of kRoutes) {
    const found = pattern.exec(path);
    if (found) return { load, params: Object.fromEntries(names.map((name, i) => [name, decoded(found[i + 1]!)])) };
  }
  return { load: kNotFound, params: {} };
}

// Where we are. `visits` rises with every change of the page, not with a change of its query.
class Place {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));
  visits = $state(0);
}
export const place = new Place();

const kScroll = 'scroll';
let position = 0;  // Of the history's entry we are at: scroll places are kept by it.
const scrolls = new Map<number, number>();

function arrive(changed_page: boolean, scroll_to: number) {
  place.path = location.pathname;
  place.query = new URLSearchParams(location.search);
  if (changed_page) ++place.visits;
  pending_scroll = scroll_to;
}

// Set by going somewhere, taken by the page once it is there and has its height.
let pending_scroll: number | null = null;
export function take_scroll(): number | null {
  const taken = pending_scroll;
  pending_scroll = null;
  return taken;
}

export function go(url: string, how: { replace?: boolean } = {}) {
  const to = new URL(url, location.href);
  if (to.origin !== location.origin) {
    location.assign(to);
    return;
  }
  const changed_page = to.pathname !== location.pathname;
  scrolls.set(position, scrollY);
  if (!how.replace) ++position;
  history[how.replace ? 'replaceState' : 'pushState']({ [kScroll]: position }, '', to);
  arrive(changed_page, changed_page ? 0 : scrollY);
}

// Another view of the same page: what is empty leaves the URL. The page's own place in a list is left, too.
export function with_query(changes: Record<string, string | null>, keep_cursor = false): string {
  const query = new URLSearchParams(place.query);
  if (!keep_cursor) query.delete('cursor');
  for (const [name, value] of Object.entries(changes)) value === null || value === '' ? query.delete(name) : query.set(name, value);
  const text = query.toString();
  return place.path + (text === '' ? '' : '?' + text);
}

function followed(event: MouseEvent) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest?.('a');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.pathname.startsWith('/api/')) return;
  if (link.hash !== '' && link.pathname === location.pathname && link.search === location.search) return;
  event.preventDefault();
  go(link.href);
}

export function start_router() {
  history.scrollRestoration = 'manual';
  position = (history.state?.[kScroll] as number | undefined) ?? 0;
  history.replaceState({ [kScroll]: position }, '');
  addEventListener('click', followed);
  addEventListener('popstate', (event) => {
    scrolls.set(position, scrollY);
    position = (event.state?.[kScroll] as number | undefined) ?? 0;
    arrive(location.pathname !== place.path, scrolls.get(position) ?? 0);
  });
}
