// A pool that never was, for the pages' tests: the same seed, the same pool. Hostile where people are: names of 96
// characters, Arabic, emoji, markup, and numbers that are none.
import fs from 'node:fs';
import path from 'node:path';
import type { components } from '../src/api.d.ts';

export type Schemas = components['schemas'];
type Machine = Schemas['Machine'];

export interface Scenario { machines: number; models: number; jobs: 'many' | 'none'; user: 'none' | 'lender' | 'operator'; owned: 'some' | 'none'; fail: string; slow: string }
export const kDefault: Scenario = { machines: 412, models: 50, jobs: 'many', user: 'none', owned: 'some', fail: '', slow: '' };

export const kNow = Date.now();
const kMinute = 60_000, kHour = 3_600_000, kDay = 86_400_000;

export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
export function hex(seed: number, digits: number): string {
  const draw = random(seed * 7919 + 17);
  let text = '';
  while (text.length < digits) text += Math.floor(draw() * 16).toString(16);
  return text;
}

export const kHostile = {
  long: 'an-organisation-with-a-rather-long-name/' + 'a-model-whose-name-goes-on-and-on-until-it-has-ninety-six-chars',
  arabic: 'مختبر اللغة العربية',
  emoji: '🦙🦙 llama farm 🧪',
  markup: '<script>alert(1)</script><b>bold</b>',
};

// ---- models
const kFamilies = ['EleutherAI/pythia-14m', 'EleutherAI/pythia-31m', 'EleutherAI/pythia-70m', 'EleutherAI/pythia-160m', 'EleutherAI/pythia-410m', 'EleutherAI/pythia-1b', 'HuggingFaceTB/SmolLM2-135M', 'HuggingFaceTB/SmolLM2-360M', 'HuggingFaceTB/SmolLM2-135M-Instruct', 'JackFram/llama-160m', 'openlab/tiny-llama-110m', 'openlab/tiny-llama-42m'];
const kSizes = [14_067_712, 30_494_720, 70_426_624, 162_322_944, 405_334_016, 1_011_781_632, 134_515_008, 361_821_120, 134_515_008, 162_417_408, 110_000_000, 41_700_000];

export function model(i: number): Schemas['ModelRef'] {
  const name = i < 12 ? kFamilies[i]! : i === 12 ? kHostile.long : i === 13 ? '/home/lab/مودل/final' : i === 14 ? `lab/${kHostile.markup.replaceAll('/', '')}` : `lab-${i % 40}/model-${i}`;
  return { name, commit: hex(i + 1, 40), dtype: i % 9 === 4 ? 'bfloat16' : 'float32', parameters: kSizes[i] ?? (i === 13 ? null : 10_000_000 * (1 + (i % 97))), is_directory: i === 13 };
}
export function model_at(name: string): number {
  for (let i = 0; i < 60; ++i) if (model(i).name === name) return i;
  return -1;
}

// ---- tasks and items
interface Row { question: string; choices: string[]; gold: number; subject: string }
const kData = path.resolve(import.meta.dirname, '../../data');
function rows_of(file: string): Row[] {
  const lines = fs.readFileSync(path.join(kData, file), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  return lines.map((row) => ({
    question: String(row['question'] ?? row['ctx'] ?? row['query'] ?? ''), choices: (row['choices'] ?? row['endings']) as string[],
    gold: Number(row['gold'] ?? row['label'] ?? 0), subject: String(row['subject'] ?? ''),
  }));
}
const kTiny = rows_of('tinyMMLU.jsonl'), kHella = rows_of('tinyHellaswag.jsonl');
const kSubjects = [...new Set(kTiny.map((row) => row.subject))].sort();

export interface TaskFixture { task: string; title: string; items: number; chance: number; metric: string; public: boolean; row: (n: number) => Row; subjects: Schemas['Subject'][] }
const mmlu_subjects: Schemas['Subject'][] = [];
{
  let first = 0;
  // The real one has 57, of 100 to 1,534 items.
  for (let i = 0; i < 57; ++i) {
    const count = i === 56 ? 14_042 - first : 100 + ((i * 89) % 290);
    mmlu_subjects.push({ name: kSubjects[i % kSubjects.length]! + (i < kSubjects.length ? '' : `_${i}`), first, count });
    first += count;
  }
}
const odd: Row = { question: 'أي مما يلي صحيح؟ Which one? 🦙\t<script>alert("x")</script>  \r\nwith a trailing space ', choices: ['نعم', 'لا — no', '<b>both</b>', 'neither 🧪'], gold: 1, subject: 'abstract_algebra' };
export const kTasks: TaskFixture[] = [
  { task: 'tinyMMLU', title: 'A hundred questions of MMLU, picked so that they tell as much as all', items: 100, chance: 0.25, metric: 'acc', public: true, row: (n) => (n === 3 ? odd : kTiny[n % kTiny.length]!), subjects: [] },
  { task: 'tinyHellaswag', title: 'A hundred beginnings of HellaSwag: which ending is sensible?', items: 100, chance: 0.25, metric: 'acc_norm_raw', public: true, row: (n) => kHella[n % kHella.length]!, subjects: [] },
  { task: 'mmlu', title: 'Exam questions of 57 subjects', items: 14_042, chance: 0.25, metric: 'acc', public: true, row: (n) => ({ ...kTiny[n % kTiny.length]!, subject: mmlu_subjects.find((s) => n < s.first + s.count)!.name }), subjects: mmlu_subjects },
  { task: 'wikitext', title: 'How well the next word is foreseen', items: 62, chance: NaN, metric: 'word_perplexity', public: true, row: (n) => kTiny[n % kTiny.length]!, subjects: [] },
  { task: 'own_questions', title: 'A researcher’s own file', items: 40, chance: 0.5, metric: 'acc', public: false, row: (n) => kTiny[n % kTiny.length]!, subjects: [] },
];
export const task_of = (name: string) => kTasks.find((task) => task.task === name);

export function task_list(): Schemas['TaskList'] {
  return { items: kTasks.filter((task) => task.public).map((task) => ({
    task: task.task, title: task.title, version: '0', documents: task.items, shots: task.task === 'mmlu' ? 5 : 0, shots_fixed: true, requests: task.items * 4, output_type: task.task === 'wikitext' ? 'loglikelihood_rolling' : 'multiple_choice',
    metrics: [{ metric: task.metric, filter: 'none', higher_is_better: task.task !== 'wikitext', is_proportion: task.task !== 'wikitext', main: true }],
    chance: Number.isNaN(task.chance) ? null : task.chance, group: null, data: 'tinyBenchmarks/' + task.task, is_public: true, results: 12 })) };
}

const kClass = 'approximate-float32-avx2-muster0.1.0-torch2.11.0';

// Wilson's interval, at two widths.
function wilson(p: number, n: number, z: number): [number, number] {
  const d = 1 + (z * z) / n, middle = (p + (z * z) / (2 * n)) / d, half = (z / d) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
export function interval(p: number, n: number): Schemas['Interval'] {
  const [low, high] = wilson(p, n, 1.96), [low_50, high_50] = wilson(p, n, 0.6745);
  return { low, high, low_50, high_50, method: 'wilson' };
}

// How good a model is at a task: what its items are drawn by.
export function ability(i: number, task: string): number {
  return 0.16 + 0.45 * random(i * 31 + task.length * 7 + 5)() ** 1.6;
}
const kLabels = 'ABCDEFGH';

interface Answered { right: boolean; chosen: number; values: number[]; disagree: number; agree: number; tie: boolean; same: boolean; trusted: boolean }
export function answered(seed: number, skill: number, task: TaskFixture, n: number): Answered {
  const draw = random(seed * 100_003 + n * 17 + task.task.length), row = task.row(n);
  const right = draw() < skill;
  const chosen = right ? row.gold : (row.gold + 1 + Math.floor(draw() * (row.choices.length - 1))) % row.choices.length;
  const top = -4 - draw() * 12, margin = draw() < 0.02 ? 0.0002 : draw() * 2.8;
  const values = row.choices.map((_, c) => (c === chosen ? top : top - margin - draw() * 3));
  const low = (chosen + 1) % values.length;
  values[low] = top - margin;
  const dispute = draw();
  return { right, chosen, values, disagree: dispute < 0.004 || n === 14 ? 1 : 0, agree: dispute > 0.99 ? 1 : 2, tie: margin < 0.001, same: draw() < 0.8, trusted: false };
}
export function mark_of(a: Answered): string {
  return String.fromCharCode(48 + 32 + (a.right ? 1 : 0) + (a.disagree ? 2 : 0) + (a.agree < 2 ? 4 : 0) + (a.tie ? 8 : 0));
}
export function votes_of(a: Answered): Schemas['VoteCount'] {
  return { agree: a.agree, wanted: 2, disagree: a.disagree, same_bits: a.same && a.agree > 1, trusted_alone: a.trusted };
}

// ---- users
export function user_of(scenario: Scenario): Schemas['User'] | null {
  if (scenario.user === 'none') return null;
  return { id: 'u1', name: scenario.user === 'operator' ? 'ops' : 'Ada', email: 'ada@example.org', email_verified: true, email_pending: null, role: scenario.user === 'operator' ? 'operator' : 'researcher', zone: 'Europe/Berlin', created_at_ms: kNow - 90 * kDay };
}
const kPeople = ['Ada', 'Grace', kHostile.arabic, kHostile.emoji, kHostile.markup, 'x'.repeat(96)];

// ---- jobs
export interface JobFixture { job: string; run: number; state: Schemas['JobState']; reason: string; model: number; tasks: TaskFixture[]; limit: number | null; share: number; accepted: number; ended: number | null; by: number | null; seed: number; begun: boolean }
const T = (name: string) => kTasks.find((task) => task.task === name)!;
type Given = Partial<JobFixture> & Pick<JobFixture, 'state' | 'model' | 'tasks' | 'share' | 'accepted' | 'by'>;
const kGiven: Given[] = [
  { state: 'running', model: 5, tasks: [T('mmlu')], share: 0.578, accepted: kNow - 12 * kMinute, by: 0 },
  { state: 'running', model: 7, tasks: [T('tinyMMLU'), T('tinyHellaswag')], share: 0.33, accepted: kNow - 2 * kMinute, by: 1 },
  { state: 'running', model: 12, tasks: [T('tinyMMLU')], share: 0, accepted: kNow - 40_000, by: 5 },
  { state: 'waiting', model: 4, tasks: [T('tinyMMLU')], share: 0, accepted: kNow - 25 * kMinute, by: 2, reason: 'needs 6.1 GiB, the largest idle machine has 4.0' },
  { state: 'failed', model: 2, tasks: [T('tinyMMLU')], share: 0.14, accepted: kNow - 70 * kMinute, ended: kNow - 60 * kMinute, by: 3, reason: 'tinyMMLU item 14 failed twice on each of 4be09a17, 91aa02fe (the engine ended: signal 9)' },
  { state: 'done', model: 0, tasks: [T('tinyMMLU'), T('tinyHellaswag')], share: 1, accepted: kNow - 3 * kHour, ended: kNow - 3 * kHour + 130_000, by: 0 },
  { state: 'cancelled', model: 14, tasks: [T('tinyHellaswag')], share: 0.61, accepted: kNow - 5 * kHour, ended: kNow - 5 * kHour + 50_000, by: 4, reason: '' },
  { state: 'done', model: 6, tasks: [T('tinyMMLU')], share: 1, accepted: kNow - 8 * kHour, ended: kNow - 8 * kHour + 94_000, by: null },
  { state: 'done', model: 1, tasks: [T('tinyMMLU')], share: 1, accepted: kNow - 3 * kDay, ended: kNow - 3 * kDay + 3_900_000, by: 1, limit: 25 },
  { state: 'done', model: 3, tasks: [T('wikitext'), T('own_questions')], share: 1, accepted: kNow - 9 * kDay, ended: kNow - 9 * kDay + 700_000, by: 0 },
  ...Array.from({ length: 70 }, (_, i) => ({ state: 'done' as const, model: 15 + i, tasks: [T(i % 3 === 0 ? 'mmlu' : 'tinyMMLU')], share: 1, accepted: kNow - (10 + i) * kDay, ended: kNow - (10 + i) * kDay + 400_000, by: i % 6 })),
];
export const kJobs: JobFixture[] = kGiven.map((job, i) => ({ reason: '', ended: null, limit: null, ...job, job: hex(1000 + i, 16), run: i === 5 ? 2 : 1, seed: 500 + i, begun: i !== 3 }));

const items_of = (job: JobFixture, task: TaskFixture) => (job.limit === null ? task.items : Math.min(task.items, job.limit));
const settled_of = (job: JobFixture, task: TaskFixture) => Math.floor(items_of(job, task) * job.share);
export const skill_of = (job: JobFixture, task: TaskFixture) => ability(job.model, task.task);

export function score_of(job: JobFixture, task: TaskFixture): Schemas['Score'][] {
  const n = items_of(job, task);
  const base = { task: task.task, filter: 'none', shots: task.task === 'mmlu' ? 5 : 0, n, documents: task.items, votes: 2, votes_wanted: 2, items_below: 0, classes: [kClass], note: '' };
  if (task.task === 'wikitext') return [
    { ...base, metric: 'word_perplexity', main: true, higher_is_better: false, is_proportion: false, value: 23.1417, stderr: null, interval: null, chance: null, rank: { best: 2, worst: 3, of: 9 }, note: 'No interval is known: the metric has no standard error.' },
    { ...base, metric: 'bits_per_byte', main: false, higher_is_better: false, is_proportion: false, value: null, stderr: null, interval: null, chance: null, rank: null, note: 'It came to no number (NaN).' },
  ];
  let right = 0;
  for (let i = 0; i < n; ++i) right += answered(job.seed, skill_of(job, task), task, i).right ? 1 : 0;
  const p = right / n;
  const value = { ...base, metric: task.metric, main: true, higher_is_better: true, is_proportion: true, value: p, stderr: n > 1 ? Math.sqrt((p * (1 - p)) / (n - 1)) : null, interval: interval(p, n), chance: task.chance, rank: n < task.items ? null : { best: 4, worst: 22, of: 50 } };
  return task.metric === 'acc' && task.public ? [value, { ...value, metric: 'acc_norm_raw', main: false, value: Math.min(1, p + 0.01), interval: interval(Math.min(1, p + 0.01), n) }] : [value];
}

export const kFirstDone = () => model(0).name;

export function job_of(fixture: JobFixture, scenario: Scenario): Schemas['Job'] {
  const total = fixture.tasks.reduce((sum, task) => sum + items_of(fixture, task), 0);
  const settled = fixture.tasks.reduce((sum, task) => sum + settled_of(fixture, task), 0);
  const is_running = fixture.state === 'running';
  return {
    job: fixture.job, run: fixture.run, state: fixture.state, reason: fixture.reason, model: model(fixture.model), tasks: fixture.tasks.map((task) => task.task), limit: fixture.limit,
    settled, total: fixture.begun ? total : null, requests: fixture.begun ? total * 4 : null, votes_wanted: 2, adaptive: false, items_per_s: is_running ? (settled > 0 ? 11.3 : 0) : null, seconds_left: is_running && settled / total > 0.05 ? (total - settled) / 11.3 : null,
    accepted_at_ms: fixture.accepted, ended_at_ms: fixture.ended, by: fixture.by === null ? null : { name: kPeople[fixture.by]! }, mine: scenario.user !== 'none' && fixture.by === 0, disagreed: settled > 0 ? Math.max(1, Math.floor(settled / 2700)) : 0,
    scores: fixture.state === 'done' ? fixture.tasks.flatMap((task) => score_of(fixture, task).filter((value) => value.main)) : [],
  };
}

export function detail_of(fixture: JobFixture, scenario: Scenario): Schemas['JobDetail'] {
  const job = job_of(fixture, scenario);
  const is_over = !['running', 'waiting'].includes(fixture.state);
  return {
    ...job, num_fewshot: null, coordinator: is_over ? null : hex(2, 16), machines_at_work: fixture.state === 'running' ? 14 : 0, seconds: fixture.state === 'done' ? (fixture.ended! - fixture.accepted) / 1000 : null,
    failure: fixture.state === 'failed' ? { text: fixture.reason, task: 'tinyMMLU', number: 14, machines: [hex(3, 16), hex(4, 16)] } : null,
    command: `muster run --llm_name ${job.model.name} --tasks ${job.tasks.join(',')}${fixture.limit ? ` --limit ${fixture.limit}` : ''}`,
    runs: Array.from({ length: fixture.run }, (_, i) => ({ run: fixture.run - i, state: i === 0 ? fixture.state : 'cancelled', accepted_at_ms: fixture.accepted - i * kHour })),
    reasons: fixture.state === 'done' && fixture.by === null ? 0 : 4, can_cancel: !is_over && (scenario.user === 'operator' || job.mine),
    task_details: fixture.tasks.map((task) => {
      const settled = settled_of(fixture, task);
      return {
        task: task.task, version: '0', shots: task.task === 'mmlu' ? 5 : 0, items: items_of(fixture, task), documents: task.items, requests: items_of(fixture, task) * 4, digest: fixture.begun ? hex(task.task.length, 64) : null, is_public: task.public, output_type: 'multiple_choice',
        counts: { settled, right: is_over ? Math.floor(settled * skill_of(fixture, task)) : null, wrong: is_over ? settled - Math.floor(settled * skill_of(fixture, task)) : null, disagreed: settled > 0 ? 1 : 0, below: 0, ties: 0, trusted: 0 },
        subjects: task.subjects, scores: fixture.state === 'done' ? score_of(fixture, task) : [] };
    }),
  };
}
export function marks_of(fixture: JobFixture, task: TaskFixture): string {
  const settled = settled_of(fixture, task), items = items_of(fixture, task);
  const marks: string[] = [];
  for (let i = 0; i < items; ++i) marks.push(i < settled ? mark_of(answered(fixture.seed, skill_of(fixture, task), task, i)) : fixture.state === 'running' && i < settled + 40 ? '1' : '0');
  return marks.join('');
}
export function row_of(fixture: JobFixture, task: TaskFixture, n: number): Schemas['ItemRow'] {
  const a = answered(fixture.seed, skill_of(fixture, task), task, n), row = task.row(n), is_settled = n < settled_of(fixture, task);
  const sorted = [...a.values].sort((x, y) => y - x);
  return {
    number: n, subject: row.subject, question: row.question.replace(/\s+/g, ' ').slice(0, 180), settled: is_settled, gold: kLabels[row.gold]!, chosen: is_settled ? kLabels[a.chosen]! : null, right: is_settled ? a.right : null,
    margin: is_settled ? sorted[0]! - sorted[1]! : null, tie: is_settled && a.tie, votes: is_settled ? votes_of(a) : { agree: 0, wanted: 2, disagree: 0, same_bits: false, trusted_alone: false } };
}
export function item_of(fixture: JobFixture, task: TaskFixture, n: number, whole: boolean): Schemas['Item'] {
  const a = answered(fixture.seed, skill_of(fixture, task), task, n), row = task.row(n), is_settled = n < settled_of(fixture, task);
  const brief = row_of(fixture, task, n);
  let prompt = `The following are multiple choice questions (with answers) about ${row.subject.replaceAll('_', ' ')}.\n\n${row.question}\n${row.choices.map((choice, i) => `${kLabels[i]}. ${choice}`).join('\n')}\nAnswer:`;
  let fewshot = 0;
  if (task.task === 'mmlu') {
    const examples = kTiny.slice(0, 5).map((one) => `${one.question}\n${one.choices.map((choice, i) => `${kLabels[i]}. ${choice}`).join('\n')}\nAnswer: ${kLabels[one.gold]}\n\n`).join('');
    prompt = examples + prompt;
    fewshot = Array.from(examples).length;
  }
  if (task.task === 'tinyMMLU' && n === 5) prompt = 'A long one. '.repeat(90_000);
  const letters = Array.from(prompt), shown = whole ? prompt : letters.slice(0, 20_000).join('');
  const choices = row.choices.map((text, i) => ({ label: kLabels[i]!, text: ' ' + text, loglikelihood: is_settled ? a.values[i]! : null, tokens: is_settled ? 1 + (text.length >> 2) : null, is_greedy: is_settled ? i === a.chosen && a.right : null, margin: is_settled ? 1.25 : null, gold: i === row.gold, chosen: is_settled && i === a.chosen }));
  const vote = (seed: number, verdict: Schemas['Vote']['verdict'], by: number): Schemas['Vote'] => ({ machine: hex(seed, 16), class: kClass, verdict, charged: verdict === 'disagrees', same_bits: by === 0 && verdict !== 'open', difference: verdict === 'open' ? null : by, allowed: verdict === 'open' ? null : 5e-4, loglikelihoods: a.values.map((value) => value + by), at_ms: kNow - 50_000 });
  const votes = !is_settled ? (n < settled_of(fixture, task) + 2 ? [vote(9, 'open', 0)] : []) : [vote(3, 'value', 0), ...(a.agree > 1 ? [vote(4, 'agrees', a.same ? 0 : 3.1e-5)] : []), ...(a.disagree ? [vote(5, 'disagrees', 1.2e-2)] : [])];
  return {
    job: fixture.job, run: fixture.run, model: model(fixture.model), task: task.task, number: n, items: items_of(fixture, task), subject: row.subject, output_type: 'multiple_choice', settled: is_settled, settled_at_ms: is_settled ? kNow - 50_000 : null,
    prompt: shown, prompt_characters: letters.length, fewshot_characters: fewshot, digest: hex(n, 64), choices, right: brief.right, margin: brief.margin, tie: brief.tie, metrics: is_settled ? [{ metric: 'acc', value: a.right ? 1 : 0 }] : [], vote_count: brief.votes, votes };
}
export function settled_item(): Schemas['SettledItem'] {
  const fixture = kJobs[0]!, task = fixture.tasks[0]!, n = 2, row = task.row(n), a = answered(fixture.seed, 1, task, n);
  return { job: fixture.job, run: 1, model: model(fixture.model), task: task.task, number: n, items: task.items, question: row.question.slice(0, 200), choices: row.choices.map((text, i) => ({ label: kLabels[i]!, text: text.slice(0, 120), loglikelihood: a.values[i]! })), chosen: a.chosen, gold: row.gold, votes: { agree: 2, wanted: 2, disagree: 0, same_bits: true, trusted_alone: false }, at_ms: kNow - 1000 };
}
export function reasons_of(job: string | null, run: number | null, machine: string | null): Schemas['Reason'][] {
  const texts = ['waits: no machine is free to compute', 'lease 12 of 91aa02fe ran out; its items go to others', 'machine 07c1d9e0: its answer to tinyMMLU item 14, request 1: log-likelihood -9.7902, others -9.8023, did not count', 'coordinator lost, going on with another'];
  return texts.map((text, i) => ({ number: i, job: job ?? kJobs[i]!.job, run: run ?? 1, machine: machine ?? (i === 1 || i === 2 ? hex(5, 16) : null), text, at_ms: kNow - (60 - i * 9) * kMinute, times: i === 0 ? 12 : 1 }));
}

// ---- machines
function state_at(i: number, count: number): Machine['state'] {
  if (i === 0) return 'coordinating';
  if (count === 1) return 'idle';
  const draw = random(i + 41)();
  if (i === 5 && count > 5) return 'quarantined';
  if (i <= 2) return count > 3 ? 'storing' : 'computing';
  return draw < 0.78 ? 'computing' : draw < 0.82 ? 'preparing' : 'idle';
}
// A pool of n machines, and the coordinator beside them.
export function machine(i: number, scenario: Scenario): Machine {
  const state = state_at(i, scenario.machines);
  const works = state === 'computing' || state === 'preparing';
  const fixture = kJobs[i % 2]!;
  const job = works && scenario.jobs === 'many' ? { job: fixture.job, run: fixture.run, model: model(fixture.model).name, tasks: fixture.tasks.map((task) => task.task) } : null;
  const is_mine = scenario.user !== 'none' && scenario.owned === 'some' && [2, 3, 5, 6].includes(i);
  const shows_owner = is_mine || scenario.user === 'operator';
  const says = state === 'coordinating' ? 'coordinator' : state === 'computing' || state === 'preparing' ? `lent to ${(job?.job ?? '').slice(0, 8)}` : state === 'storing' ? 'storage' : state;
  return {
    machine: hex(i + 1, 16), number: i + 1, state, leaving: i === 9, says, reason: state === 'idle' ? (i % 3 === 0 ? 'its 4.0 GiB are too few for the 2 jobs that wait' : 'no job wants more machines') : state === 'quarantined' ? 'outvoted on 3 items: request 1: log-likelihood -9.7902, others -9.8023' : '',
    since_ms: kNow - (i + 1) * 4 * kMinute, job, items_per_s: state === 'computing' ? 0.4 + (i % 7) * 0.3 : works ? 0 : null, role: state === 'coordinating' ? 'coordinator' : 'auto', stores: state === 'storing' ? 'yes' : i === 4 ? 'joining' : 'no',
    class: state === 'coordinating' ? null : kClass, cores: 4 + (i % 5) * 4, cpu: i % 4 === 0 ? null : 'AMD EPYC 7763 64-Core Processor', gpu: i % 6 === 1 ? 'NVIDIA L4' : null, memory_bytes: (4 + (i % 8) * 4) * 2 ** 30, version: i % 50 === 7 ? '0.0.9' : '0.1.0', agreed: i === 5 ? 41 : 61_022 - i, strikes: i === 5 ? 3 : 0, refused: i === 5 ? 2 : 0,
    first_seen_ms: kNow - 40 * kDay, last_seen_ms: kNow - 1000, quarantined_at_ms: state === 'quarantined' ? kNow - 2 * kHour : null, mine: is_mine,
    ...(shows_owner ? { label: i === 2 ? 'desk' : i === 3 ? kHostile.arabic : i === 5 ? kHostile.markup : '', owner: { name: is_mine ? user_of(scenario)!.name : kPeople[i % 6]! }, address: '192.0.2.17' } : {}),
  };
}
// The machines that are connected: n, and a coordinator when there are any.
export function machines_in(scenario: Scenario): Machine[] {
  return scenario.machines === 0 ? [] : Array.from({ length: scenario.machines + (scenario.machines > 1 ? 1 : 0) }, (_, i) => (scenario.machines === 1 ? { ...machine(1, scenario), number: 1 } : machine(i, scenario)));
}
export function machine_detail(i: number, scenario: Scenario): Schemas['MachineDetail'] {
  const one = machine(i, scenario);
  return {
    ...one, totals: { items: 41_200, items_agreed: 41_197, items_charged: 3, busy_ms: 310 * kHour, online_ms: 640 * kHour },
    charges: one.state !== 'quarantined' ? [] : [14, 33, 71].map((number) => ({ job: kJobs[5]!.job, run: 2, task: 'tinyMMLU', number, machine: one.machine, difference: 'request 1: log-likelihood -9.79020011, others -9.80231432 greedy', agreed: 41, at_ms: kNow - 3 * kHour })),
    helped_with: one.state === 'coordinating' ? [] : [0, 5, 7, 12].map((j) => share_of(kJobs[j]!, i)),
  };
}
export function share_of(fixture: JobFixture, i: number): Schemas['MachineShare'] {
  const items = 900 - i * 13;
  return { machine: hex(i + 1, 16), job: { job: fixture.job, run: fixture.run, model: model(fixture.model).name, tasks: fixture.tasks.map((task) => task.task) }, items: Math.max(3, items), items_agreed: Math.max(3, items) - (i === 5 ? 3 : 0), items_charged: i === 5 ? 3 : 0, busy_ms: 3_400_000, class: kClass, is_lent: fixture.state === 'running' && i % 2 === 0, last_ms: kNow - 3000 };
}
export function days_of(i: number, days: number): Schemas['MachineDays'] {
  const draw = random(i + 3);
  return { days: Array.from({ length: days }, (_, d) => {
    const items = Math.floor(draw() * 2400) * (draw() < 0.2 ? 0 : 1);
    return { day: new Date(kNow - (days - 1 - d) * kDay).toISOString().slice(0, 10), items, items_agreed: items, items_charged: 0, busy_ms: Math.min(kDay, items * 12_000), online_ms: items > 0 ? kDay - 1000 : 0 };
  }) };
}

export function counts_of(machines: Machine[]): Schemas['MachineCounts'] {
  const n = (state: Machine['state']) => machines.filter((one) => one.state === state).length;
  return { connected: machines.length, computing: n('computing'), preparing: n('preparing'), storing: n('storing'), idle: n('idle'), coordinating: n('coordinating'), quarantined: n('quarantined'), away: machines.length > 3 ? 2 : 0, leaving: machines.filter((one) => one.leaving).length };
}
export function jobs_in(scenario: Scenario): JobFixture[] {
  return scenario.jobs === 'none' ? [] : scenario.machines === 0 ? kJobs.filter((job) => job.state !== 'running') : kJobs;
}
export function pool_of(scenario: Scenario): Schemas['Pool'] {
  const machines = machines_in(scenario), jobs = jobs_in(scenario);
  const n = (state: string) => jobs.filter((job) => job.state === state).length;
  const counts = counts_of(machines), per_s = scenario.jobs === 'none' ? 0 : Number((counts.computing * 1.34).toFixed(1));
  const draw = random(11);
  const jobs_now = { waiting: n('waiting'), running: machines.length === 0 ? 0 : n('running'), done: n('done'), failed: n('failed'), cancelled: n('cancelled') };
  return {
    id: hex(77, 16), name: 'lab pool', version: '0.1.0', at_ms: kNow, machines: counts, jobs: jobs_now, storage: { view: 7, copies: Math.min(2, Math.max(0, machines.length - 1)), copies_wanted: 2, joining: machines.length > 4 ? 1 : 0 },
    items_per_s: per_s, rates: { until_ms: kNow, every_ms: 10_000, items_per_s: Array.from({ length: 60 }, () => per_s * (0.8 + 0.3 * draw())) }, versions: [{ version: '0.1.0', machines: Math.max(1, machines.length - 1) }, ...(machines.length > 8 ? [{ version: '0.0.9', machines: 1 }] : [])],
    settled: scenario.jobs === 'none' || machines.length === 0 ? null : settled_item(), ...(scenario.user === 'operator' ? { needs: needs_of(scenario) } : {}),
  };
}
export function needs_of(scenario: Scenario): Schemas['Need'][] {
  return scenario.machines < 5 ? [] : [
    { kind: 'mail-undeliverable', text: '3 mails undeliverable', link: '/operator/mail?state=dead' }, { kind: 'quarantined', text: '1 machine quarantined', link: '/operator/machines?state=quarantined' },
    { kind: 'copies', text: 'copies 1 of 2', link: '/operator/health' }, { kind: 'disk', text: 'disk 91 %', link: '/operator/health' }];
}
export function map_of(scenario: Scenario): Schemas['PoolMap'] {
  const machines = machines_in(scenario);
  const letters: Record<string, string> = { computing: 'c', preparing: 'p', storing: 's', idle: 'i', coordinating: 'o', quarantined: 'q' };
  return { first: 1, states: machines.map((one) => letters[one.state]!).join(''), ids: machines.length > 400 ? [] : machines.map((one) => one.machine), event: 'b0.1' };
}

// ---- leaderboard
interface BoardModel { index: number; partial: boolean; values: Map<string, number> }
export function board_models(scenario: Scenario): BoardModel[] {
  return Array.from({ length: scenario.models }, (_, index) => ({ index, partial: index % 17 === 11, values: new Map(kTasks.filter((task) => task.public).map((task) => {
    const n = task.items, p = ability(index, task.task);
    return [task.task, task.task === 'wikitext' ? 12 + 400 * (1 - p) ** 4 : Math.round(p * n) / n];
  })) }));
}
