// The API, typed by docs/openapi.json, with every failure as a Problem: also one that is no answer at all.
import createClient from 'openapi-fetch';
import type { components, paths } from '../api.d.ts';

export type Schemas = components['schemas'];
export type Problem = Schemas['Problem'];
export type Answer<T> = { data: T; problem?: undefined } | { data?: undefined; problem: Problem };

const kMostWait_ms = 30_000;

let csrf: string | null = null;
export function use_csrf(word: string | null) {
  csrf = word;
}

const client = createClient<paths>({
  baseUrl: '/api/v1',
  credentials: 'same-origin',
  querySerializer: { array: { style: 'form', explode: false } },  // state=running,waiting
});
client.use({
  onRequest({ request }) {
    if (request.method === 'GET') return undefined;
    // A request without a body says so, too: it is how the server tells our pages from a foreign form.
    request.headers.set('Content-Type', 'application/json');
    if (csrf !== null) request.headers.set('X-Muster-CSRF', csrf);
    return request;
  },
});
export const { GET, POST, PUT, PATCH, DELETE } = client;

function no_answer(): Problem {
  const detail = navigator.onLine ? 'The server cannot be reached.' : 'This device is offline.';
  return { type: '/docs/problems/no-answer', title: 'No answer', status: 0 as 400, detail, request: '' };
}

function as_problem(error: unknown, response: Response): Problem {
  if (error !== null && typeof error === 'object' && 'title' in error) return error as Problem;
  return { type: '/docs/problems/internal', title: `Status ${response.status}`, status: response.status, detail: 'The server said nothing more.', request: '' };
}

// Waits for an answer of GET, POST, ...; null: it was given up, by whoever holds the signal.
export async function answer<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>, signal?: AbortSignal): Promise<Answer<T> | null> {
  try {
    const { data, error, response } = await asked;
    if (response.ok) return { data: data as T };
    return { problem: as_problem(error, response) };
  } catch {
    return signal?.aborted && signal.reason !== kTooLong ? null : { problem: no_answer() };
  }
}

export const kTooLong = 'too long';

// A signal that is aborted when nothing came for too long.
export function patience(controller: AbortController): AbortSignal {
  const timer = setTimeout(() => controller.abort(kTooLong), kMostWait_ms);
  controller.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  return controller.signal;
}
