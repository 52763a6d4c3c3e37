// The pool as cells: which figure and colour a state has, and in which order they lie.
import type { Colours, Figure } from './draw.ts';
import type { Schemas } from './api.ts';

type State = Schemas['MachineState'];
export const kLetters: Record<string, State> = { c: 'computing', p: 'preparing', s: 'storing', i: 'idle', o: 'coordinating', q: 'quarantined' };
const kLetterOf = Object.fromEntries(Object.entries(kLetters).map(([letter, state]) => [state, letter])) as Partial<Record<State, string>>;
export const kLooks: Record<string, { figure: Figure; colour: keyof Colours }> = {
  c: { figure: 'triangle', colour: 'running' }, p: { figure: 'bars', colour: 'waiting' }, s: { figure: 'disc', colour: 'settled' },
  i: { figure: 'ring', colour: 'idle' }, o: { figure: 'hub', colour: 'idle' }, q: { figure: 'cross', colour: 'failed' },
};

// Up to this many, each machine keeps its place; above, in joining order they would be noise, so they lie by state.
export const kMostInPlace = 400;
const kOrder = 'qcpsio';

export interface Cell { letter: string; id: string | null }
export function cells_of(map: Pick<Schemas['PoolMap'], 'states' | 'ids'>): Cell[] {
  const here = Array.from(map.states).filter((letter) => letter !== '-');
  if (here.length <= kMostInPlace) return here.map((letter, i) => ({ letter, id: map.ids[i] ?? null }));
  const by_state = new Map<string, number>();
  for (const letter of here) by_state.set(letter, (by_state.get(letter) ?? 0) + 1);
  return Array.from(kOrder).flatMap((letter) => Array.from({ length: by_state.get(letter) ?? 0 }, () => ({ letter, id: null })));
}

export function cell_size(cells: number): number {
  return cells <= kMostInPlace ? 16 : cells <= 1500 ? 12 : cells <= 4000 ? 10 : 5;
}

// Takes in that a machine changed: its place is its joining number. The ids of a map that has them go with the
// machines that are here, in order.
export function with_machine(map: Schemas['PoolMap'], event: Pick<Schemas['MachineEvent'], 'number' | 'state' | 'machine'>): Schemas['PoolMap'] {
  const at = event.number - map.first;
  if (at < 0) return map;
  const letters = Array.from(map.states.padEnd(at + 1, '-'));
  const was_here = letters[at] !== '-';
  letters[at] = kLetterOf[event.state] ?? '-';
  const is_here = letters[at] !== '-';
  let ids = map.ids;
  if (was_here !== is_here && ids.length > 0) {
    const before = letters.slice(0, at).filter((letter) => letter !== '-').length;
    ids = [...ids.slice(0, before), ...(is_here ? [event.machine] : []), ...ids.slice(before + (was_here ? 1 : 0))];
  }
  return { ...map, states: letters.join(''), ids };
}
