// A form that is sent once, keeps what was typed when it fails, and takes the focus to the first field that is wrong.
import { tick } from 'svelte';
import type { Answer, Problem } from './api.ts';

export class Form {
  is_busy = $state(false);
  problem = $state.raw<Problem | null>(null);
  own = $state.raw<Record<string, string>>({});  // What the page itself finds wrong, before it asks the server.

  // What is wrong with the field of this name.
  wrong(name: string): string {
    return this.own[name] ?? this.problem?.errors?.find((error) => error.pointer === `/${name}`)?.detail ?? '';
  }
  // What is wrong, and with no field that is shown.
  get says(): string {
    return this.problem === null || (this.problem.errors?.length ?? 0) > 0 ? '' : (this.problem.detail ?? this.problem.title);
  }

  async send<T>(form: HTMLFormElement | null, own: Record<string, string>, ask: () => Promise<Answer<T> | null>): Promise<T | true | null> {
    if (this.is_busy) return null;
    this.own = Object.fromEntries(Object.entries(own).filter(([, text]) => text !== ''));
    this.problem = null;
    if (Object.keys(this.own).length > 0) return this.#failed(form);
    this.is_busy = true;
    const got = await ask();
    this.is_busy = false;
    this.problem = got?.problem ?? null;
    if (got === null || got.problem) return this.#failed(form);
    return got.data ?? true;
  }
  async #failed(form: HTMLFormElement | null): Promise<null> {
    await tick();
    form?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
    return null;
  }
}

export function password_problem(password: string): string {
  return password.length < 12 ? `twelve characters at least; these are ${password.length}` : '';
}
export function email_problem(email: string): string {
  return /^[^@\s]+@[^@\s]+$/.test(email) ? '' : 'an address has an @ within it';
}
