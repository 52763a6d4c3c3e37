// Sentences and labels that several pages say. The command line's words.
import type { components } from '../api.d.ts';
import { count, counted, in_words, kNone, rate } from './format.ts';

type Schemas = components['schemas'];

// "1–3", "4", and nothing where there is no rank.
export function rank(rank: Schemas['Rank'] | null): string {
  if (rank === null) return kNone;
  return rank.best === rank.worst ? String(rank.best) : `${rank.best}–${rank.worst}`;
}

// "2 of 2", "1 of 2", "1, trusted".
export function votes(votes: Schemas['VoteCount']): string {
  if (votes.trusted_alone) return '1, trusted';
  return `${votes.agree} of ${votes.wanted}`;
}

// What the pool does now, in a sentence that is right for none, one and many.
export function pool_sentence(pool: Pick<Schemas['Pool'], 'machines' | 'jobs' | 'items_per_s'>): string {
  const { connected, computing, preparing, quarantined, coordinating } = pool.machines;
  const machines = connected - coordinating;
  if (machines === 0) return 'No machine has joined yet.';
  const at_work = computing + preparing;
  if (pool.jobs.running === 0 && at_work === 0) {
    const wait = machines - quarantined;
    if (wait === 0) return `${capital(in_words(machines, 'machine'))} ${machines === 1 ? 'is' : 'are'} here, quarantined.`;
    return `${capital(in_words(machines, 'machine'))} ${machines === 1 ? 'waits' : 'wait'} for a job.`;
  }
  const jobs = in_words(pool.jobs.running, 'job');
  const who = capital(in_words(at_work === 0 ? machines : at_work, 'machine'));
  if (pool.items_per_s === 0) return `${who} ${at_work === 1 ? 'prepares' : 'prepare'} for ${jobs}.`;
  const one = (at_work === 0 ? machines : at_work) === 1;
  const items = pool.items_per_s === 1 ? 'one item' : `${rate(pool.items_per_s)} items`;
  return `${who} ${one ? 'answers' : 'answer'} ${items} a second for ${jobs}.`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// "8,120 of 14,042 items"
export function progress(settled: number, total: number | null): string {
  return total === null ? 'its requests are being built' : `${count(settled)} of ${counted(total, 'item')}`;
}

// lm-eval's name of a metric, as `muster run` prints it.
export function metric(name: string): string {
  return name === 'acc_norm_raw' ? 'acc_norm (raw)' : name;
}

// Where a model's page is. A commit is asked for by its first digits.
export function model_path(model: Pick<Schemas['ModelRef'], 'name' | 'commit' | 'is_directory'>, with_commit = false): string {
  if (model.is_directory) return `/models/dir/${model.commit}`;
  const [organisation, name] = model.name.includes('/') ? split_once(model.name, '/') : ['-', model.name];
  const path = `/models/${encodeURIComponent(organisation)}/${encodeURIComponent(name)}`;
  return with_commit ? `${path}@${model.commit.slice(0, 12)}` : path;
}
export function split_once(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + by.length)];
}

export function run_path(job: string, run: number): string {
  return `/jobs/${job}/${run}`;
}
export function item_path(job: string, run: number, task: string, number: number): string {
  return `/jobs/${job}/${run}/items/${encodeURIComponent(task)}/${number}`;
}
// A run as the API's parameters name it.
export function run_word(job: string, run: number): string {
  return `${job}.${run}`;
}

export const kJobWords: Record<Schemas['JobState'], string> = {
  waiting: 'waiting', running: 'running', done: 'done', failed: 'failed', cancelled: 'cancelled',
};
export const kMachineWords: Record<Schemas['MachineState'], string> = {
  computing: 'computing', preparing: 'preparing', storing: 'storing', idle: 'idle', coordinating: 'coordinating',
  quarantined: 'quarantined', away: 'away', removed: 'removed',
};
