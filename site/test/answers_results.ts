// The stand-in's leaderboard, models and comparisons.
import * as fx from './fixtures.ts';
import { type Reply, not_found, ok, paged, problem } from './answers.ts';

type Schemas = fx.Schemas;
const kColumns = ['tinyMMLU', 'tinyHellaswag', 'mmlu', 'wikitext'];

function cell(index: number, value: number, task: fx.TaskFixture, partial: boolean): Schemas['Cell'] {
  const n = partial ? 25 : task.items, is_share = task.task !== 'wikitext';
  const clean = is_share ? Math.round(value * n) / n : value;
  const below = index % 13 === 3;
  return {
    value: index === 8 && task.task === 'wikitext' ? null : clean, stderr: is_share ? Math.sqrt((clean * (1 - clean)) / (n - 1)) : null, interval: is_share ? fx.interval(clean, n) : null, n, partial, votes: below ? 1 : 2, votes_wanted: 2, items_below: below ? 4 : 0,
    classes: ['approximate-float32-avx2-muster0.1.0-torch2.11.0'], job: fx.kJobs[5]!.job, run: 2, ended_at_ms: fx.kNow - index * 3_600_000, by: index % 4 === 0 ? null : { name: 'Ada' }, note: index === 8 && task.task === 'wikitext' ? 'It came to no number (NaN).' : '' };
}
const bounds = (cell: Schemas['Cell'], higher: boolean): [number, number] => {
  const [low, high] = cell.interval ? [cell.interval.low, cell.interval.high] : [cell.value ?? NaN, cell.value ?? NaN];
  return higher ? [low, high] : [-high, -low];
};

export function leaderboard(query: URLSearchParams, scenario: fx.Scenario, everything: boolean): Reply {
  const names = query.get('task')?.split(',') ?? kColumns;
  for (const name of names) if (!fx.task_of(name)?.public) return not_found(`no task is called '${name}'; the nearest is tinyMMLU`);
  const tasks = names.map((name) => fx.task_of(name)!), first = tasks[0]!, higher = first.task !== 'wikitext';
  const q = query.get('q')?.toLowerCase(), shows_all = query.get('show') === 'all';
  const all = fx.board_models(scenario).map((entry) => ({ entry, cell: cell(entry.index, entry.values.get(first.task)!, first, entry.partial) }));
  const ranked = all.filter(({ entry, cell }) => !entry.partial && cell.value !== null);
  const lows = ranked.map(({ cell }) => bounds(cell, higher)[0]).sort((a, b) => a - b), highs = ranked.map(({ cell }) => bounds(cell, higher)[1]).sort((a, b) => a - b);
  const above = (sorted: number[], value: number, or_equal: boolean) => sorted.length - sorted.findIndex((one) => (or_equal ? one >= value : one > value)) * 1;
  const count = (sorted: number[], value: number, or_equal: boolean) => (sorted.some((one) => (or_equal ? one >= value : one > value)) ? above(sorted, value, or_equal) : 0);
  const rows = all.filter(({ entry }) => (shows_all || !entry.partial) && (!q || fx.model(entry.index).name.toLowerCase().includes(q))).sort((a, b) => (bounds(b.cell, higher)[0] || -1e9) - (bounds(a.cell, higher)[0] || -1e9));
  const page = everything ? { items: rows, next: null } : paged(rows, query);
  const pin = query.get('pin');
  const items: Schemas['BoardRow'][] = page.items.map(({ entry, cell: main }, i) => {
    const [low, high] = bounds(main, higher);
    return {
      model: fx.model(entry.index), rank: entry.partial || main.value === null ? null : { best: 1 + count(lows, high, false), worst: count(highs, low, true), of: ranked.length },
      cells: tasks.map((task, t) => (t === 0 ? main : (entry.index + t) % 5 === 0 ? null : cell(entry.index, entry.values.get(task.task)!, task, entry.partial))),
      versus: pin === null ? null : i === 0 ? { verdict: 'pinned', difference: 0, items: main.n, p: 1, test: 'mcnemar' } : i < 6 ? { verdict: 'unclear', difference: -0.01 * i, items: main.n, p: 0.21, test: 'mcnemar' } : i === 7 ? { verdict: 'incomparable', difference: null, items: 0, p: null, test: null } : { verdict: 'lower', difference: -0.08, items: main.n, p: 0.0004, test: 'mcnemar' } };
  });
  const columns: Schemas['Column'][] = tasks.map((task, t) => {
    const cells = items.map((row) => row.cells[t]).filter((one): one is Schemas['Cell'] => one !== null && one !== undefined && one.value !== null);
    const values = cells.flatMap((one) => (one.interval ? [one.interval.low, one.interval.high] : [one.value!])).concat(Number.isNaN(task.chance) || cells.length === 0 ? [] : [task.chance]);
    const low = Math.min(...values), high = Math.max(...values), pad = (high - low || 1) * 0.05;
    return { task: task.task, metric: task.metric, filter: 'none', shots: task.task === 'mmlu' ? 5 : 0, higher_is_better: task.task !== 'wikitext', is_proportion: task.task !== 'wikitext', documents: task.items, chance: Number.isNaN(task.chance) ? null : task.chance, axis: values.length === 0 ? null : { low: low - pad, high: high + pad }, best: cells[0]?.interval ?? null, ranked: ranked.length };
  });
  return ok({ revision: 812, columns, items, next: page.next, first: 1 + Number(query.get('cursor') ?? 0), matching: rows.length, models: all.length, pinned: pin === null ? null : { job: pin.split('.')[0], run: Number(pin.split('.')[1]), model: items[0]?.model.name ?? 'org/model', tasks: [first.task] } });
}

export function model_page(query: URLSearchParams, scenario: fx.Scenario): Reply {
  const q = query.get('q')?.toLowerCase();
  const all = fx.board_models(scenario).filter(({ index }) => !q || fx.model(index).name.toLowerCase().includes(q));
  const page = paged(all, query);
  return ok({ ...page, items: page.items.map(({ index }) => entry(index)) });
}
const entry = (i: number): Schemas['ModelEntry'] => ({ model: fx.model(i), family: i % 2 ? 'llama' : 'gpt_neox', bytes: (fx.model(i).parameters ?? 0) * 4, runs: 3, latest_ms: fx.kNow - 86_400_000 });

export function model_detail(path: Record<string, string>, query: URLSearchParams, scenario: fx.Scenario): Reply {
  const organisation = path['organisation']!, name = path['name']!;
  const i = organisation === 'dir' ? (name === fx.model(13).commit ? 13 : -1) : fx.model_at(organisation === '-' ? name : `${organisation}/${name}`);
  if (i < 0) return problem(404, 'not-found', 'Not found', `no model called '${organisation}/${name}' was run here`, { near: ['EleutherAI/pythia-14m', 'EleutherAI/pythia-70m'] });
  const commits = [fx.model(i).commit, fx.hex(900 + i, 40)], tasks = fx.kTasks.filter((task) => task.public);
  const column = (task: fx.TaskFixture): Schemas['Column'] => ({ task: task.task, metric: task.metric, filter: 'none', shots: 0, higher_is_better: task.task !== 'wikitext', is_proportion: task.task !== 'wikitext', documents: task.items, chance: Number.isNaN(task.chance) ? null : task.chance, axis: { low: 0.1, high: 0.7 }, best: null, ranked: 50 });
  const value = (task: fx.TaskFixture, more = 0) => cell(i, (task.task === 'wikitext' ? 31 : fx.ability(i, task.task)) + more, task, false);
  const never = i === 11;
  return ok({
    ...entry(i), runs: never ? 0 : 5, hub_url: fx.model(i).is_directory ? null : `https://huggingface.co/${fx.model(i).name}`, layers: 6, commits: never ? [] : commits.map((commit, c) => ({ commit, first_run_ms: fx.kNow - (c + 1) * 20 * 86_400_000, runs: 2 + c })),
    scores: never ? [] : tasks.map((task) => ({ column: column(task), cell: value(task), rank: { best: 4, worst: 22, of: 50 }, neighbour: { model: fx.model(i + 1), job: fx.kJobs[7]!.job, run: 1 } })),
    histories: never ? [] : tasks.slice(0, 2).map((task) => ({ column: column(task), points: [{ commit: commits[1]!, cell: value(task, -0.04) }, { commit: commits[0]!, cell: value(task) }] })), jobs: never ? [] : fx.kJobs.slice(5, 9).map((job) => ({ ...fx.job_of(job, scenario), model: fx.model(i) })) });
}

export function comparison(query: URLSearchParams, scenario: fx.Scenario): Reply {
  const of = (word: string | null) => fx.kJobs.find((job) => `${job.job}.${job.run}` === word);
  const a = of(query.get('a')), b = of(query.get('b'));
  if (!a || !b) return not_found('no job is called so');
  if (a.state !== 'done' || b.state !== 'done') return problem(409, 'conflict', 'Not as it is now', `job ${(a.state !== 'done' ? a : b).job.slice(0, 8)} is ${(a.state !== 'done' ? a : b).state}: it has no scores yet`);
  const tasks = a.tasks.filter((task) => b.tasks.includes(task)), task = tasks.find((one) => one.task === query.get('task')) ?? tasks[0];
  const side = (job: fx.JobFixture) => ({ job: job.job, run: job.run, model: fx.model(job.model), score: task ? fx.score_of(job, task)[0] : null });
  if (!task) return ok({ a: side(a), b: side(b), tasks: [], task: null, same_items: false, items_a: 100, items_b: 100, common: 0, counts: { both_right: 0, only_a: 0, only_b: 0, both_wrong: 0 }, difference: null, p: null, test: null, items: [], next: null });
  const n_a = fx.marks_of(a, task).length, n_b = fx.marks_of(b, task).length, n = Math.min(n_a, n_b);
  const pairs = Array.from({ length: n }, (_, i) => ({ i, a: fx.answered(a.seed, fx.skill_of(a, task), task, i), b: fx.answered(b.seed, fx.skill_of(b, task), task, i) }));
  const kind = (pair: (typeof pairs)[0]) => (pair.a.right ? (pair.b.right ? 'both_right' : 'only_a') : pair.b.right ? 'only_b' : 'both_wrong');
  const counts = { both_right: 0, only_a: 0, only_b: 0, both_wrong: 0 };
  pairs.forEach((pair) => ++counts[kind(pair)]);
  const only = query.get('only'), page = paged(pairs.filter((pair) => !only || kind(pair) === only), query);
  const difference = (counts.only_b - counts.only_a) / n, half = (1.96 * Math.sqrt(counts.only_a + counts.only_b)) / n;
  const said = (x: (typeof pairs)[0]['a']) => ({ chosen: 'ABCD'[x.chosen]!, right: x.right, loglikelihood: Math.max(...x.values), margin: 0.4, disagreed: x.disagree > 0 });
  return ok({
    a: side(a), b: side(b), tasks: tasks.map((one) => one.task), task: task.task, same_items: n_a === n_b, items_a: n_a, items_b: n_b, common: n, counts, difference: { value: difference, low: difference - half, high: difference + half }, p: Math.min(1, Math.exp(-2 * Math.abs(difference / (half || 1)))), test: 'mcnemar',
    items: page.items.map((pair) => ({ number: pair.i, question: task.row(pair.i).question.replace(/\s+/g, ' ').slice(0, 180), gold: 'ABCD'[task.row(pair.i).gold]!, a: said(pair.a), b: said(pair.b) })), next: page.next });
}
