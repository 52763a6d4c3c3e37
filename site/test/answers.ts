// What the stand-in answers to each operation of the contract.
import type { Found } from './contract.ts';
import { kDescription } from './contract.ts';
import * as fx from './fixtures.ts';
import { comparison, leaderboard, model_detail, model_page } from './answers_results.ts';
import { account } from './answers_account.ts';

export interface Reply { status: number; body?: unknown; type?: string; headers?: Record<string, string> }
export type Ask = (path: Record<string, string>, query: URLSearchParams, body: unknown, scenario: fx.Scenario, method: string) => Reply;

export const ok = (body: unknown): Reply => ({ status: 200, body });
export function problem(status: number, slug: string, title: string, detail: string, more: object = {}): Reply {
  return { status, type: 'application/problem+json', body: { type: '/docs/problems/' + slug, title, status, detail, ...more, request: 'stand-in-1' } };
}
export const not_found = (what: string) => problem(404, 'not-found', 'Not found', what);

// A page of a list: the cursor is the place, which the real one would not say.
export function paged<T>(all: T[], query: URLSearchParams, most = 50): { items: T[]; next: string | null } {
  const from = Number(query.get('cursor') ?? 0), limit = Number(query.get('limit') ?? most);
  return { items: all.slice(from, from + limit), next: from + limit < all.length ? String(from + limit) : null };
}
const words = (query: URLSearchParams, name: string) => query.get(name)?.split(',') ?? null;

function job_named(path: Record<string, string>): fx.JobFixture | undefined {
  return fx.kJobs.find((job) => job.job === path['job']);
}
const no_job = (path: Record<string, string>) => not_found(`no job is called '${path['job']}'`);
function with_task(path: Record<string, string>, name: string | null | undefined, then: (job: fx.JobFixture, task: fx.TaskFixture) => Reply): Reply {
  const job = job_named(path), task = job?.tasks.find((one) => one.task === name);
  if (!job || (path['run'] !== undefined && Number(path['run']) > job.run)) return no_job(path);
  if (!task) return not_found(`run ${path['run']} of job ${job.job.slice(0, 8)} has no task '${name}'`);
  if (!task.public) return problem(403, 'forbidden', 'Not permitted', 'these items are a file of their researcher’s: he alone may see them');
  return then(job, task);
}
function a_run(path: Record<string, string>, then: (job: fx.JobFixture) => Reply): Reply {
  const job = job_named(path);
  return job ? then(job) : no_job(path);
}
function a_machine(path: Record<string, string>, scenario: fx.Scenario, then: (i: number) => Reply): Reply {
  const i = fx.machines_in(scenario).findIndex((one) => one.machine === path['machine']);
  return i < 0 ? not_found(`no machine is called '${path['machine']}'`) : then(scenario.machines === 1 ? 1 : i);
}

const kAnswers: Record<string, Ask> = {
  getPool: (_p, _q, _b, s) => ok(fx.pool_of(s)),
  getPoolMap: (_p, _q, _b, s) => ok(fx.map_of(s)),
  listMachines: (_p, q, _b, s) => {
    const states = words(q, 'state'), text = q.get('q')?.toLowerCase();
    return ok(paged(fx.machines_in(s).filter((one) => (!states || states.includes(one.state)) && (!text || one.machine.startsWith(text) || (one.label ?? '').includes(text))), q));
  },
  getMachine: (p, _q, _b, s) => a_machine(p, s, (i) => ok(fx.machine_detail(i, s))),
  listMachineReasons: (p, q, _b, s) => a_machine(p, s, () => ok(paged(fx.reasons_of(null, null, p['machine']!), q))),
  listMachineDays: (p, q, _b, s) => a_machine(p, s, (i) => ok(fx.days_of(i, Number(q.get('days') ?? 30)))),
  patchMachine: (p, _q, b, s) => a_machine(p, s, (i) => ok({ ...fx.machine_detail(i, s), label: (b as { label: string }).label })),
  drainMachine: (p, _q, _b, s) => a_machine(p, s, (i) => ok({ ...fx.machine_detail(i, s), leaving: true })),
  removeMachine: (p, _q, _b, s) => a_machine(p, s, (i) => ok({ ...fx.machine_detail(i, s), state: 'removed' })),
  quarantineMachine: (p, _q, _b, s) => a_machine(p, s, (i) => ok({ ...fx.machine_detail(i, s), state: 'quarantined' })),
  pardonMachine: (p, _q, _b, s) => a_machine(p, s, (i) => ok({ ...fx.machine_detail(i, s), state: 'idle', quarantined_at_ms: null, strikes: 0 })),

  listJobs: (_p, q, _b, s) => {
    const states = words(q, 'state'), text = q.get('q')?.toLowerCase(), shares = q.get('shares');
    const other = shares ? fx.kJobs.find((job) => `${job.job}.${job.run}` === shares) : undefined;
    const all = fx.jobs_in(s).filter((job) => (!states || states.includes(job.state)) && (!text || fx.model(job.model).name.toLowerCase().includes(text) || job.job.startsWith(text))
      && (q.get('mine') !== 'true' || job.by === 0) && (!q.get('model') || fx.model(job.model).name === q.get('model')) && (!q.get('task') || job.tasks.some((task) => task.task === q.get('task')))
      && (!other || (job !== other && job.tasks.some((task) => other.tasks.includes(task)))));
    const page = paged(all, q);
    return ok({ ...page, items: page.items.map((job) => fx.job_of(job, s)) });
  },
  getJob: (p, _q, _b, s) => a_run(p, (job) => ok(fx.detail_of(job, s))),
  getRun: (p, _q, _b, s) => a_run(p, (job) => (Number(p['run']) > job.run ? not_found(`job ${job.job.slice(0, 8)} has no run ${p['run']}`) : Number(p['run']) < job.run ? problem(410, 'gone', 'Gone', `the records of run ${p['run']} are gone: they are kept 30 days`, { deleted_at_ms: fx.kNow - 86_400_000 }) : ok(fx.detail_of(job, s)))),
  listRunReasons: (p, q) => a_run(p, (job) => ok(paged(fx.reasons_of(job.job, job.run, null), q))),
  listRunMachines: (p, q, _b, s) => a_run(p, (job) => ok(paged(job.begun ? fx.machines_in(s).slice(1, 16).map((_, i) => fx.share_of(job, i + 1)) : [], q))),
  getMarks: (p, q) => with_task(p, q.get('task'), (job, task) => ok({ job: job.job, run: job.run, task: task.task, marks: fx.marks_of(job, task), event: 'b0.1' })),
  listItems: (p, q) => with_task(p, p['task'], (job, task) => {
    const n = fx.marks_of(job, task).length, only = q.get('only'), text = q.get('q')?.toLowerCase();
    const numbers = Array.from({ length: n }, (_, i) => i);
    if (!only && !text) {
      const from = Number(q.get('from') ?? 0), limit = Number(q.get('limit') ?? 100);
      return ok({ items: numbers.slice(from, from + limit).map((i) => fx.row_of(job, task, i)), next: null, matching: n });
    }
    const bit = { right: 1, disagreed: 2, below: 4, ties: 8 }[only ?? ''];
    const marks = fx.marks_of(job, task);
    const all = numbers.filter((i) => {
      const bits = marks.charCodeAt(i) - 48, settled = (bits & 32) !== 0;
      const passes = !only || (only === 'open' ? !settled : settled && (only === 'wrong' ? (bits & 1) === 0 : (bits & bit!) !== 0));
      return passes && (!text || task.row(i).question.toLowerCase().includes(text));
    });
    const page = paged(all, q, 100);
    return ok({ items: page.items.map((i) => fx.row_of(job, task, i)), next: page.next, previous: null, matching: text ? null : all.length });
  }),
  getItem: (p, q) => with_task(p, p['task'], (job, task) => {
    const n = Number(p['number']);
    return n < fx.marks_of(job, task).length ? ok(fx.item_of(job, task, n, q.get('whole') === 'true')) : not_found(`${task.task} has ${fx.marks_of(job, task).length} items here; ${n} is none of them`);
  }),
  getResultsFile: (p) => a_run(p, () => ok({ results: {}, configs: {}, versions: {} })),
  getSamplesFile: (p) => a_run(p, () => ({ status: 200, type: 'application/jsonl', body: '{"doc_id":0}\n' })),
  citeRun: (p) => a_run(p, (job) => ok({ text: `${fx.model(job.model).name} on ${job.tasks[0]!.task} (0-shot, n = 100), computed by a pool of lent machines, two votes an item. https://pool.example/jobs/${job.job}/${job.run}`, bibtex: `@misc{muster-${job.job.slice(0, 8)}, title = {A run}}` })),
  cancelJob: (p, _q, _b, s) => a_run(p, (job) => (['running', 'waiting'].includes(job.state) ? ok({ ...fx.detail_of(job, s), state: 'cancelled', can_cancel: false, ended_at_ms: fx.kNow, items_per_s: null, seconds_left: null }) : problem(409, 'conflict', 'Not as it is now', `job ${job.job.slice(0, 8)} is ${job.state}: there is nothing to cancel`))),
  submitJob: (_p, _q, b) => {
    const job = fx.kJobs[1]!;
    const is_there = (b as { model: string }).model === fx.kFirstDone();
    return { status: is_there ? 200 : 201, body: { job: job.job, run: job.run, attached: is_there, state: job.state }, headers: { Location: `/jobs/${job.job}/runs/${job.run}` } };
  },
  estimate: (_p, _q, b, s) => {
    const wanted = b as { model: string; tasks: string[]; limit?: number | null };
    const i = fx.model_at(wanted.model), tasks = wanted.tasks.map((name) => fx.task_of(name)), machines = fx.machines_in(s).length;
    const items = tasks.reduce((sum, task) => sum + Math.min(task?.items ?? 0, wanted.limit ?? Infinity), 0);
    return ok({
      model: i < 0 ? null : fx.model(i), bytes: i < 0 ? null : (fx.model(i).parameters ?? 0) * 4, fits: i < 0 ? null : i !== 4, problems: [...(wanted.model !== '' && i < 0 ? [{ pointer: '/model', detail: `the Hub has no model called '${wanted.model}'` }] : []), ...(i === 4 ? [{ pointer: '/model', detail: 'needs 6.1 GiB, the largest machine here has 4.0: it would wait' }] : [])],
      items: items === 0 ? null : items, requests: items === 0 ? null : items * 4, machines: Math.max(0, machines - 1), idle: Math.max(0, Math.floor(machines / 6)), seconds: i < 0 || items === 0 || machines < 2 ? null : { low: items * 0.4, high: items * 0.9 },
      command: `muster run --llm_name ${wanted.model === '' ? 'ORG/NAME' : wanted.model} --tasks ${wanted.tasks.join(',') || 'TASK'}${wanted.limit ? ` --limit ${wanted.limit}` : ''}`, same: i === 0 ? { job: fx.kJobs[5]!.job, run: 2, state: 'done', accepted_at_ms: fx.kJobs[5]!.accepted } : null });
  },

  getLeaderboard: (_p, q, _b, s) => leaderboard(q, s, false),
  getLeaderboardJson: (_p, q, _b, s) => leaderboard(q, s, true),
  getLeaderboardCsv: () => ({ status: 200, type: 'text/csv', body: 'rank_best,rank_worst,model\r\n1,3,org/model-a\r\n' }),
  listModels: (_p, q, _b, s) => model_page(q, s),
  getModel: (p, q, _b, s) => model_detail(p, q, s),
  listTasks: () => ok(fx.task_list()),
  compare: (_p, q, _b, s) => comparison(q, s),
  listProblems: () => ok({ items: kProblems }),
  getDescription: () => ok(kDescription),
  ...account,
};
export const kProblems = [
  ['bad-request', 400, 'Not understood', 'A field or a parameter is not what the API describes; `errors` says which. Unknown ones are refused, too.'],
  ['conflict', 409, 'Not as it is now', 'It was changed meanwhile, or is over. Load the page again and look.'],
  ['forbidden', 403, 'Not permitted', 'It is somebody else’s. Its owner or an operator may do it.'],
  ['gone', 410, 'Gone', 'It was deleted, or its time was over. Records are kept 30 days; results for good.'],
  ['internal', 500, 'A fault of ours', 'Tell an operator the request’s id: it finds the fault in the log.'],
  ['media-type', 415, 'Not JSON', 'Send `Content-Type: application/json`.'],
  ['not-found', 404, 'Not found', 'There is no such thing here, or it is not for everybody. A job’s id is 16 hex digits; is it on another pool?'],
  ['sign-in', 401, 'Sign in first', 'Sign in, or give a token that is still good.'],
  ['too-large', 413, 'Too large', 'A request’s body may have 1 MiB.'],
  ['too-many-requests', 429, 'Too often', 'Wait as long as `Retry-After` says.'],
  ['unavailable', 503, 'Try later', 'The pool’s server, its database or the Hub is away. Nothing is lost; try again in a while.'],
  ['unprocessable', 422, 'Cannot work', 'It is well-formed, but no pool could do it: a task or a model that does not exist, for instance.'],
].map(([slug, status, title, what_to_do]) => ({ slug, status, title, what_to_do }));

export function answer_of(method: string, found: Found, query: URLSearchParams, body: unknown, scenario: fx.Scenario): Reply {
  const ask = kAnswers[found.operation.operationId];
  if (!ask) throw new Error(`the stand-in has no answer to ${found.operation.operationId}`);
  return ask(found.path, query, body, scenario, method);
}
