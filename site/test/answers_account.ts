// The stand-in's accounts and operators.
import * as fx from './fixtures.ts';
import { type Ask, type Reply, not_found, ok, paged, problem } from './answers.ts';

const kDay = 86_400_000;
const done: Reply = { status: 204 };
const sign_in_first = problem(401, 'sign-in', 'Sign in first', 'this needs an account');
const not_yours = problem(403, 'forbidden', 'Not permitted', 'this is for operators');
const signed_in = (then: Ask): Ask => (p, q, b, s, m) => (s.user === 'none' ? sign_in_first : then(p, q, b, s, m));
const operator = (then: Ask): Ask => (p, q, b, s, m) => (s.user === 'none' ? sign_in_first : s.user !== 'operator' ? not_yours : then(p, q, b, s, m));
const session = (s: fx.Scenario) => {
  const user = fx.user_of(s);
  return { user, csrf: user ? 'csrf-of-the-stand-in' : null, expires_at_ms: user ? fx.kNow + 30 * kDay : null };
};
const token = { id: 't1', name: 'ci', prefix: 'mst_7Fq2', scopes: ['read', 'submit'], created_at_ms: fx.kNow - 40 * kDay, used_at_ms: fx.kNow - 7_200_000, expires_at_ms: fx.kNow + 60 * kDay, revoked_at_ms: null };
const join_token = (i: number, state: string) => ({ id: `j${i}`, prefix: 'muster_x7k' + i, role: 'worker', owner: { name: 'Ada' }, uses: 1, used: state === 'used' ? 1 : 0, machines: state === 'used' ? [fx.hex(3, 16)] : [], created_at_ms: fx.kNow - 60_000, expires_at_ms: fx.kNow + kDay, revoked_at_ms: null, state, reason: '' });
const commands = [
  { kind: 'docker', command: 'docker run -d --restart=on-failure -e MUSTER_TOKEN=muster_x7k1Zp3vVwqgJ0s5 muster-worker:0.1.0 worker --status_port 8787 --ip pool.example --port 30000' },
  { kind: 'docker-gpu', command: 'docker run -d --gpus=all --restart=on-failure -e MUSTER_TOKEN=muster_x7k1Zp3vVwqgJ0s5 muster-worker:0.1.0 worker --status_port 8787 --ip pool.example --port 30000' },
  { kind: 'program', command: 'MUSTER_TOKEN=muster_x7k1Zp3vVwqgJ0s5 muster worker --ip pool.example --port 30000' }];
const kinds = ['job_done', 'job_failed', 'job_waiting', 'machine_silent', 'machine_back', 'machine_quarantined', 'weekly'] as const;
const users = ['Ada', 'Grace', fx.kHostile.arabic, 'x'.repeat(96)].map((name, i) => ({ id: `u${i}`, name, email: `user${i}@example.org`, email_verified: i !== 2, role: i === 0 ? 'operator' : 'researcher', created_at_ms: fx.kNow - i * 20 * kDay, seen_at_ms: i === 2 ? null : fx.kNow - i * 3_600_000, disabled_at_ms: i === 3 ? fx.kNow - kDay : null, machines: i, jobs: 12 * i }));
const mails = ['dead', 'dead', 'due', 'sent'].map((state, i) => ({ id: `m${i}`, kind: i === 2 ? 'job_done' : 'verify', to: `user${i}@example.org`, user: i === 0 ? null : { name: 'Grace' }, state, attempts: state === 'dead' ? 12 : i, next_at_ms: state === 'due' ? fx.kNow + 60_000 : null, created_at_ms: fx.kNow - (i + 1) * 3_600_000, sent_at_ms: state === 'sent' ? fx.kNow : null, error: state === 'dead' ? '550 5.1.1 no such user here' : '' }));

export const account: Record<string, Ask> = {
  getSession: (_p, _q, _b, s) => ok(session(s)),
  register: (_p, _q, b) => ((b as { name: string }).name === 'taken' ? problem(409, 'conflict', 'Not as it is now', 'this name is taken', { errors: [{ pointer: '/name', detail: 'this name is taken' }] }) : { status: 202 }),
  checkName: (p) => ok({ free: p['name'] !== 'taken', reason: p['name'] === 'taken' ? 'somebody has it' : '' }),
  verify: (_p, _q, b, s) => ((b as { token: string }).token.startsWith('old') ? problem(410, 'gone', 'Gone', 'this link is used, or older than 24 hours') : ok(session(s))),
  signIn: (_p, _q, b, s) => ((b as { password: string }).password === 'wrong' ? problem(401, 'sign-in', 'Sign in first', 'name and password do not fit') : ok(session({ ...s, user: s.user === 'none' ? 'lender' : s.user }))),
  signOut: () => done, forgot: () => ({ status: 202 }),
  reset: (_p, _q, b) => ((b as { token: string }).token.startsWith('old') ? problem(410, 'gone', 'Gone', 'this link is used, or older than an hour') : done),
  getMe: signed_in((_p, _q, _b, s) => ok(fx.user_of(s))), patchMe: signed_in((_p, _q, b, s) => ok({ ...fx.user_of(s), ...(b as object) })),
  changePassword: signed_in(() => done), changeEmail: signed_in(() => ({ status: 202 })), deleteMe: signed_in(() => ({ status: 202 })),
  listTokens: signed_in((_p, q, _b, s) => ok(paged(s.owned === 'some' ? [token] : [], q))),
  createToken: signed_in((_p, _q, b) => ({ status: 201, body: { ...token, id: 't2', ...(b as object), days: undefined, secret: 'mst_7Fq2ZkV0u3Jp8sXw1n5yQm4rT6bE9cHd' }, headers: { Location: '/me/tokens/t2' } })),
  revokeToken: signed_in(() => done),
  listSessions: signed_in((_p, q) => ok(paged([true, false].map((current, i) => ({ id: `s${i}`, agent: i === 0 ? 'Firefox on Linux' : 'Safari on an iPhone', address: '192.0.2.7', created_at_ms: fx.kNow - 5 * kDay, seen_at_ms: fx.kNow - i * 7_200_000, expires_at_ms: fx.kNow + 20 * kDay, current })), q))),
  endOtherSessions: signed_in(() => done), endSession: signed_in(() => done),
  getNotifications: signed_in(() => ok({ items: kinds.map((kind) => ({ kind, how: kind === 'weekly' ? 'off' : 'at-once' })) })),
  putNotifications: signed_in((_p, _q, b) => ok(b)),
  unsubscribe: (_p, _q, b) => ((b as { token: string }).token.startsWith('old') ? not_found('this link is of no mail of ours') : ok({ kind: 'job_done', how: 'off' })),
  listMyMachines: signed_in((_p, _q, _b, s) => ok({ items: s.owned === 'none' ? [] : fx.machines_in(s).filter((one) => one.mine), next: null, days: 30, totals: s.owned === 'none' ? { items: 0, items_agreed: 0, items_charged: 0, busy_ms: 0, online_ms: 0 } : { items: 41_200, items_agreed: 41_197, items_charged: 3, busy_ms: 310 * 3_600_000, online_ms: 640 * 3_600_000 }, helped_with: s.owned === 'none' ? [] : [0, 5, 7].map((j) => fx.share_of(fx.kJobs[j]!, 2)) })),
  listJoinTokens: signed_in((_p, q, _b, s) => ok(paged(s.owned === 'some' ? [join_token(1, 'open'), join_token(2, 'used')] : [], q))),
  createJoinToken: signed_in(() => ({ status: 201, body: { ...join_token(1, 'open'), secret: 'muster_x7k1Zp3vVwqgJ0s5', commands }, headers: { Location: '/me/join-tokens/j1' } })),
  getJoinToken: signed_in((p) => ok(join_token(1, p['id'] === 'j2' ? 'used' : 'open'))), revokeJoinToken: signed_in(() => done),
  listUsers: operator((_p, q) => ok(paged(users, q))), patchUser: operator((p, _q, b) => ok({ ...users.find((user) => user.id === p['id']), role: (b as { role?: string }).role ?? 'researcher' })),
  listAllTokens: operator((_p, q) => ok(paged([join_token(1, 'open'), join_token(2, 'used')], q))),
  createPoolToken: operator(() => ({ status: 201, body: { ...join_token(3, 'open'), secret: 'muster_x7k3Zp3vVwqgJ0s5', commands }, headers: { Location: '/operator/tokens/j3' } })), revokePoolToken: operator(() => done),
  listMail: operator((_p, q) => ok({ ...paged(mails.filter((mail) => !q.get('state') || q.get('state')!.split(',').includes(mail.state)), q), counts: { due: 1, sending: 0, sent: 812, dead: 2 } })),
  getMail: operator((p) => ok({ ...mails.find((mail) => mail.id === p['id'])!, message_id: '<verify.1.abc@pool.example>', subject: 'Confirm your address at lab pool', text: 'Confirm your address:\nhttps://pool.example/verify?token=...\n' })), retryMail: operator((p) => ok({ ...mails.find((mail) => mail.id === p['id'])!, state: 'due' })),
  listAudit: operator((_p, q) => ok(paged(Array.from({ length: 30 }, (_, i) => ({ id: `a${i}`, at_ms: fx.kNow - i * 700_000, actor: i % 5 === 4 ? null : { name: users[i % 2]!.name }, action: ['sign-in', 'pardon', 'token.create', 'cancel'][i % 4]!, target: i % 4 === 1 ? fx.hex(6, 16) : 'Grace', detail: i % 4 === 2 ? 'role worker, 1 use, 24 h' : '', address: '192.0.2.7' })), q))),
  getHealth: operator((_p, _q, _b, s) => ok({
    needs: fx.needs_of(s), parts: [['server', 'up 12 days'], ['coordinator 4be09a17', '3 jobs'], ['store 91aa02fe', 'in the view'], ['database', 'PostgreSQL 15, 2 ms'], ['mailer', '2 undeliverable'], ['website', '14 streams']].map(([part, says], i) => ({ part, ok: i !== 4, says, version: i < 3 ? '0.1.0' : null, since_ms: fx.kNow - 12 * kDay, machine: i === 1 ? fx.hex(1, 16) : null })),
    storage: fx.pool_of(s).storage, disk: [{ name: 'server', used_bytes: 91 * 2 ** 30, total_bytes: 100 * 2 ** 30 }, { name: 'database', used_bytes: 3 * 2 ** 30, total_bytes: 40 * 2 ** 30 }], versions: fx.pool_of(s).versions, oldest_due_ms: fx.kNow - 40_000 })),
};
