// Something that a page shows and the server has. What was there stays while it is asked for again, and when that
// fails: a page shows it dimmed, with its time.
import { untrack } from 'svelte';
import { type Answer, type Problem, answer, patience } from './api.ts';

const kSlow_ms = 300;      // Grey bars before would only flicker.
const kVerySlow_ms = 10_000;

type Asked<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

export class Resource<T> {
  data = $state.raw<T | null>(null);
  at_ms = $state(0);                    // When `data` came.
  problem = $state.raw<Problem | null>(null);
  loading = $state(true);
  slow = $state<'no' | 'slow' | 'very'>('no');
  fresh = $derived(this.data !== null && this.problem === null);

  #ask: (signal: AbortSignal) => Asked<T>;
  #controller: AbortController | null = null;

  constructor(ask: (signal: AbortSignal) => Asked<T>) {
    this.#ask = ask;
  }

  // Another thing is meant from now on: what is there is not it.
  clear() {
    this.data = null;
    this.problem = null;
  }

  async load() {
    this.#controller?.abort();
    const controller = (this.#controller = new AbortController());
    this.loading = true;
    this.slow = 'no';
    const timers = [setTimeout(() => (this.slow = 'slow'), kSlow_ms), setTimeout(() => (this.slow = 'very'), kVerySlow_ms)];
    const signal = patience(controller);
    const got = await answer(this.#ask(signal), signal);
    timers.forEach(clearTimeout);
    if (got === null || this.#controller !== controller) return;
    this.#take(got);
  }

  #take(got: Answer<T>) {
    this.loading = false;
    this.slow = 'no';
    this.problem = got.problem ?? null;
    if (got.data === undefined) return;
    this.data = got.data;
    this.at_ms = Date.now();
  }

  stop() {
    this.#controller?.abort();
    this.#controller = null;
  }
}

// Asked for whenever what `ask` reads of the page's state changes, and given up when the page goes. `keep` says
// whether what is there may be shown meanwhile: another page of the same list may, another job may not.
export function resource<T>(ask: (signal: AbortSignal) => Asked<T>, options: { when?: () => boolean; identity?: () => unknown } = {}): Resource<T> {
  // What is read of the state is read before the first await, so the effect knows it.
  const made = new Resource<T>(ask);
  let before: unknown;
  $effect(() => {
    if (options.when && !options.when()) return;
    const identity = options.identity?.();
    untrack(() => {
      if (identity !== before) made.clear();
      before = identity;
    });
    void loaded(made);
  });
  $effect(() => () => made.stop());
  return made;
}

// The state that load() itself writes must not make the effect run again.
function loaded<T>(made: Resource<T>) {
  return made.load();
}
