// Kinds of mail, in words.
import type { Schemas } from './api.ts';

export const kMailWords: Record<Schemas['MailKind'], string> = {
  job_done: 'a job is done', job_failed: 'a job failed', job_waiting: 'a job waits for one thing for 15 min',
  machine_silent: 'a machine of mine is silent for 10 min', machine_back: 'and is back', machine_quarantined: 'a machine of mine is quarantined or drained',
  weekly: 'what my machines gave, on Mondays', coordinator_connected: 'a coordinator connected', operator_attention: 'the pool needs an operator',
};
export const kHowWords: Record<Schemas['MailHow'], string> = { 'at-once': 'at once', daily: 'once a day', off: 'off' };
