// What changes, as it changes: one stream a tab, closed while the tab is hidden. Six open streams stop a site over
// HTTP/1.1, so eight tabs must not hold eight of them.
import type { Schemas } from './api.ts';

export interface Events {
  pool: Schemas['PoolEvent']; machine: Schemas['MachineEvent']; job: Schemas['JobEvent']; marks: Schemas['MarksEvent'];
  settled: Schemas['SettledItem']; result: Schemas['ResultEvent']; notice: Schemas['NoticeEvent']; resync: Schemas['ResyncEvent'];
}
type Handlers = { [Name in keyof Events]?: (event: Events[Name], id: string) => void };
interface Subscription { topics: string[]; handlers: Handlers }

const kNames: (keyof Events)[] = ['pool', 'machine', 'job', 'marks', 'settled', 'result', 'notice', 'resync'];
const kRetry_ms = 3_000;
const kReadAgain_ms = 10_000;  // Without a stream the pages ask, this often.

class Live {
  state = $state<'off' | 'opening' | 'live' | 'lost'>('off');
  since_ms = $state(0);  // When it was lost.

  #subscriptions = new Set<Subscription>();
  #source: EventSource | null = null;
  #opened_for = '';
  #after: string | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #due = false;

  constructor() {
    document.addEventListener('visibilitychange', () => this.#changed());
    addEventListener('online', () => this.#open());
    // A page that goes into the browser's own cache may hold no connection.
    addEventListener('pagehide', () => this.#close());
    addEventListener('pageshow', () => this.#changed());
    setInterval(() => this.#read_again(), kReadAgain_ms);
  }

  subscribe(topics: string[], handlers: Handlers): () => void {
    const subscription = { topics, handlers };
    this.#subscriptions.add(subscription);
    this.#changed();
    return () => {
      this.#subscriptions.delete(subscription);
      this.#changed();
    };
  }

  // A page that goes and one that comes change the topics twice; the stream is opened once.
  #changed() {
    if (this.#due) return;
    this.#due = true;
    setTimeout(() => {
      this.#due = false;
      this.#open();
    }, 0);
  }

  #topics(): string {
    const topics = new Set<string>();
    for (const { topics: wanted } of this.#subscriptions) wanted.forEach((topic) => topics.add(topic));
    return [...topics].sort().slice(0, 8).join(',');
  }

  #close() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
    this.#opened_for = '';
  }

  #open() {
    const topics = document.hidden ? '' : this.#topics();
    if (topics === this.#opened_for && this.#source !== null) return;
    const before = this.#opened_for;
    this.#close();
    if (topics === '') {
      if (!document.hidden) this.state = 'off';
      return;
    }
    if (this.state === 'off') this.state = 'opening';
    this.#opened_for = topics;
    // Events of other topics were not heard, so what came after the last one seen is no help.
    const after = before === '' || before === topics ? this.#after : null;
    const source = new EventSource(`/api/v1/events?topics=${topics}` + (after === null ? '' : `&after=${encodeURIComponent(after)}`));
    this.#source = source;
    source.onopen = () => (this.state = 'live');
    source.onerror = () => this.#lost(kRetry_ms);
    source.addEventListener('bye', (event) => this.#lost((JSON.parse(event.data) as Schemas['ByeEvent']).retry_ms));
    for (const name of kNames) source.addEventListener(name, (event) => this.#heard(name, event as MessageEvent<string>));
  }

  #heard(name: keyof Events, event: MessageEvent<string>) {
    if (event.lastEventId !== '') this.#after = event.lastEventId;
    const data = JSON.parse(event.data) as never;
    for (const { handlers } of this.#subscriptions) (handlers[name] as ((data: never, id: string) => void) | undefined)?.(data, event.lastEventId);
  }

  // The browser would try again by itself, but all tabs at once and with a URL that is old.
  #lost(wait_ms: number) {
    this.#close();
    if (this.state !== 'lost') this.since_ms = Date.now();
    this.state = 'lost';
    this.#retry = setTimeout(() => this.#open(), wait_ms * (0.75 + Math.random() / 2));
  }

  #read_again() {
    if (this.state !== 'lost' || document.hidden) return;
    for (const { handlers } of this.#subscriptions) handlers.resync?.({ topics: [] }, '');
  }
}

export const live = new Live();

// Events that come before what they change: kept, and given on once it is there, if it does not know them already.
export class Early<T> {
  #kept: { event: T; id: string }[] = [];

  keep(event: T, id: string) {
    this.#kept.push({ event, id });
  }
  // Those after the one that the answer names.
  take(after: string | undefined): T[] {
    const taken = this.#kept.filter(({ id }) => is_later(id, after)).map(({ event }) => event);
    this.#kept = [];
    return taken;
  }
}

// Whether an event came after another one; of another life of the server none is known to.
export function is_later(id: string, than: string | undefined): boolean {
  if (than === undefined) return true;
  const [boot, number] = id.split('.'), [other_boot, other] = than.split('.');
  return boot === other_boot && Number(number) > Number(other);
}

// For a component: heard while it is there. `topics` may depend on its state.
export function listen(topics: () => string[], handlers: Handlers) {
  $effect(() => {
    const wanted = topics();
    return wanted.length === 0 ? undefined : live.subscribe(wanted, handlers);
  });
}
