// A run's event, taken into what a page has of it.
import type { Schemas } from './api.ts';

type Shared = Pick<Schemas['Job'], 'job' | 'run' | 'state' | 'reason' | 'settled' | 'total' | 'disagreed' | 'items_per_s' | 'seconds_left' | 'ended_at_ms'>;

export function with_event<T extends Shared>(job: T, event: Schemas['JobEvent']): T {
  if (job.job !== event.job || job.run !== event.run) return job;
  const { state, reason, settled, total, disagreed, items_per_s, seconds_left, ended_at_ms, machines_at_work } = event;
  const rest = 'machines_at_work' in job ? { machines_at_work } : {};
  return { ...job, state, reason, settled, total, disagreed, items_per_s, seconds_left, ended_at_ms, ...rest };
}

export function with_job_event<T extends { items: Schemas['Job'][] }>(page: T, event: Schemas['JobEvent']): T {
  return { ...page, items: page.items.map((job) => with_event(job, event)) };
}
