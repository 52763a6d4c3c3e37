// Who is signed in. Asked once; signing in and out say it anew.
import { GET, type Schemas, answer, use_csrf } from './api.ts';

class Session {
  user = $state.raw<Schemas['User'] | null>(null);
  known = $state(false);  // The server has answered.
  private missing = $state.raw<readonly string[]>([]);

  take(session: Schemas['Session']) {
    this.user = session.user;
    this.known = true;
    this.missing = session.lacks ?? [];
    use_csrf(session.csrf);
  }
  async ask() {
    const got = await answer(GET('/session'));
    if (got?.data) this.take(got.data);
  }
  // What this website cannot do yet is not offered.
  lacks(what: NonNullable<Schemas['Session']['lacks']>[number]): boolean {
    return this.missing.includes(what);
  }
  get is_operator(): boolean {
    return this.user?.role === 'operator';
  }
}
export const session = new Session();
