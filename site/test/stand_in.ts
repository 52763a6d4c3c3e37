// Stands in for `muster website` in the pages' tests: serves dist/ under the strict policy and answers the API from
// fixtures. Which pool it is says the cookie stand_in ("machines=24&models=1&user=operator&fail=/jobs"); each answer is
// held against docs/openapi.json, and one that does not fit is a 500 and a line in `faults`.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { answer_of, type Reply } from './answers.ts';
import { event_faults, faults as faults_of, find, request_faults } from './contract.ts';
import * as fx from './fixtures.ts';

export const kPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
const kDist = path.resolve(import.meta.dirname, '../dist');
const kTypes: Record<string, string> = { html: 'text/html; charset=utf-8', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml', txt: 'text/plain' };
const kPages = [/^\/$/, /^\/(leaderboard|compare|submit|join|sign-in|register|verify|unsubscribe|forgot|reset)$/, /^\/models\/[^/]+\/[^/]+$/, /^\/jobs(\/[^/]+){0,2}$/, /^\/jobs\/[^/]+\/[^/]+\/items\/[^/]+\/[^/]+$/, /^\/machines(\/[^/]+)?$/, /^\/(account|operator)(\/[^/]+)?$/, /^\/docs(\/(scores|lending|api|problems(\/[^/]+)?))?$/];

export const faults: string[] = [];

function scenario_of(request: http.IncomingMessage): fx.Scenario {
  const cookie = /(?:^|; )stand_in=([^;]*)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
  const wanted = new URLSearchParams(decodeURIComponent(cookie));
  const scenario: Record<string, unknown> = { ...fx.kDefault };
  for (const [name, value] of wanted) scenario[name] = name === 'machines' || name === 'models' ? Number(value) : value;
  return scenario as unknown as fx.Scenario;
}

function serve_file(pathname: string, response: http.ServerResponse) {
  const file = path.join(kDist, path.normalize(pathname));
  const is_file = file.startsWith(kDist) && fs.existsSync(file) && fs.statSync(file).isFile();
  const name = is_file ? file : path.join(kDist, 'index.html');
  const status = is_file || kPages.some((pattern) => pattern.test(pathname)) ? 200 : 404;
  response.writeHead(status, { 'Content-Type': kTypes[path.extname(name).slice(1)] ?? 'application/octet-stream', 'Content-Security-Policy': kPolicy, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'same-origin', 'Cache-Control': is_file && pathname.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache' });
  response.end(fs.readFileSync(name));
}

function problem(status: number, slug: string, title: string, detail: string): Reply {
  return { status, type: 'application/problem+json', body: { type: '/docs/problems/' + slug, title, status, detail, request: 'stand-in-1' } };
}

// One stream: the pool's numbers every 2 s; of a job an item more every half second; of the pool a machine that changes.
function stream(scenario: fx.Scenario, query: URLSearchParams, response: http.ServerResponse) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  let number = 100;
  const say = (event: string, data: unknown) => {
    const wrong = event_faults(event, data);
    if (wrong !== '') faults.push(wrong);
    response.write(`id: b0.${number++}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  response.write(': hello\n\n');
  const topics = (query.get('topics') ?? '').split(',');
  const job = fx.kJobs.find((one) => one.state === 'running' && topics.includes(`job:${one.job}`));
  let settled = 0, beats = 0;
  const timer = setInterval(() => {
    if (topics.includes('pool') && ++beats % 4 === 0) {
      const { machines, jobs, storage, items_per_s } = fx.pool_of(scenario);
      say('pool', { at_ms: Date.now(), machines, jobs, storage, items_per_s });
      const machine = fx.machines_in(scenario)[6];
      if (machine) say('machine', { machine: machine.machine, number: machine.number, state: beats % 8 === 0 ? 'idle' : 'computing', says: 'idle', reason: '', job: null, items_per_s: null, joined: false });
      if (scenario.jobs === 'many') say('settled', fx.settled_item());
    }
    if (job) {
      const task = job.tasks[0]!, { settled: before, total, disagreed } = fx.job_of(job, scenario);
      const next = fx.marks_of(job, task).search(/[01]/);
      say('marks', { job: job.job, run: job.run, task: task.task, numbers: [next + settled], marks: 'Q' });
      ++settled;
      say('job', { job: job.job, run: job.run, state: 'running', reason: '', settled: before + settled, total, disagreed, items_per_s: 11.3, seconds_left: 100, machines_at_work: 14, ended_at_ms: null });
    }
  }, 500);
  response.on('close', () => clearInterval(timer));
}

async function body_of(request: http.IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? undefined : JSON.parse(text);
}

async function api(request: http.IncomingMessage, url: URL, response: http.ServerResponse) {
  const scenario = scenario_of(request), pathname = url.pathname.slice('/api/v1'.length);
  if (scenario.slow !== '' && pathname.startsWith(scenario.slow)) await new Promise((resolve) => setTimeout(resolve, 60_000));
  const found = find(request.method ?? 'GET', pathname);
  let reply: Reply;
  if (found === 'no-path') reply = problem(404, 'not-found', 'Not found', `there is no ${pathname}`);
  else if (Array.isArray(found)) reply = problem(405, 'method', 'Not that way', `${pathname} takes ${found.join(', ')}`);
  else if (scenario.fail !== '' && pathname.startsWith(scenario.fail)) reply = problem(503, 'unavailable', 'Try later', 'the server cannot be reached: it was last heard 14 s ago');
  else if (pathname === '/events') return stream(scenario, url.searchParams, response);
  else {
    const body = await body_of(request);
    const wrong = request_faults(found, url.searchParams, body);
    if (wrong !== '') faults.push('request ' + wrong);
    reply = wrong !== '' ? problem(400, 'bad-request', 'Not understood', wrong) : answer_of(request.method ?? 'GET', found, url.searchParams, body, scenario);
  }
  if (typeof found === 'object' && 'operation' in found) {
    const wrong = faults_of(found, reply.status, reply.type ?? 'application/json', reply.body);
    if (wrong !== '') faults.push(wrong);
  }
  response.writeHead(reply.status, { ...(reply.body === undefined ? {} : { 'Content-Type': reply.type ?? 'application/json' }), 'Cache-Control': 'no-cache', ...reply.headers });
  response.end(reply.body === undefined ? undefined : typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
}

export function start(port: number): Promise<http.Server> {
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    if (!url.pathname.startsWith('/api/v1')) return serve_file(url.pathname, response);
    api(request, url, response).catch((error: unknown) => {
      if (request.destroyed || response.destroyed) return;  // The page went away.
      faults.push(`${request.method} ${url.pathname}: ${String(error)} ${(error as Error).stack ?? ''}`);
      response.writeHead(500, { 'Content-Type': 'application/problem+json' });
      response.end(JSON.stringify({ type: '/docs/problems/internal', title: 'A fault of ours', status: 500, request: 'stand-in-1' }));
    });
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

if (process.argv[1] === import.meta.filename) {
  const port = Number(process.argv[2] ?? 30001);
  await start(port);
  console.log(`http://127.0.0.1:${port}; which pool says the cookie stand_in`);
  setInterval(() => faults.splice(0).forEach((fault) => console.error(fault)), 500);
}
